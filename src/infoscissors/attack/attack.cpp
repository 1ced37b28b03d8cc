#include "infoscissors/attack/attack.h"

namespace infoscissors::attack {

base::Registry<AnyAttack>& registry() {
  static base::Registry<AnyAttack> instance("attack");
  return instance;
}

std::string view_name(const AnyAttack& attack) {
  return std::visit([](const auto& method) { return std::string(std::decay_t<decltype(*method)>::View::kName); },
                    attack);
}

Goal goal_of(const std::string& name) {
  return registry().find(name).traits.at("goal") == "input" ? Goal::input : Goal::prediction;
}

}  // namespace infoscissors::attack
