#include "infoscissors/attack/attack.h"

namespace infoscissors::attack {

base::Registry<AnyAttack>& registry() {
  static base::Registry<AnyAttack> instance("attack");
  return instance;
}

std::string view_name(const AnyAttack& attack) {
  return std::holds_alternative<std::shared_ptr<const WhiteBoxAttack>>(attack) ? "white-box" : "black-box";
}

Goal goal_of(const std::string& name) {
  return registry().find(name).traits.at("goal") == "input" ? Goal::input : Goal::prediction;
}

}  // namespace infoscissors::attack
