#pragma once

#include "infoscissors/attack/view.h"
#include "infoscissors/base/json.h"
#include "infoscissors/base/registry.h"

#include <memory>
#include <string>
#include <variant>

namespace infoscissors::attack {

enum class Goal { input, prediction };

/// What an attack returns. The runner, which alone knows the truth, measures it.
struct Outcome {
  torch::Tensor reconstructions;  // goal input: (N, C, H, W) in [0, 1]
  torch::Tensor predictions;      // goal prediction: (N) int64
  base::Json details;             // what the attack itself observed: its validation losses, steps, queries used
};

/// An attack by a server that sees only what crosses the wire.
class BlackBoxAttack {
 public:
  virtual ~BlackBoxAttack() = default;
  virtual Outcome run(const BlackBoxView& view) const = 0;
};

/// An attack by a server that also knows the head's weights.
class WhiteBoxAttack {
 public:
  virtual ~WhiteBoxAttack() = default;
  virtual Outcome run(const WhiteBoxView& view) const = 0;
};

/// One of the threat models. The alternative decides which view the runner builds, so a black-box attack is never
/// handed a head.
using AnyAttack = std::variant<std::shared_ptr<const BlackBoxAttack>, std::shared_ptr<const WhiteBoxAttack>>;

struct AttackDoc {
  std::string name, summary, source;
  Goal goal;
};

base::Registry<AnyAttack>& registry();

/// "black-box" or "white-box".
std::string view_name(const AnyAttack& attack);
Goal goal_of(const std::string& name);

/// Registers a class with a nested Options, a static doc() -> AttackDoc and a constructor from Options. One line at
/// the end of the attack's file:  const bool registered = register_attack<Ka>();
template <class Method>
bool register_attack() {
  constexpr bool white = std::is_base_of_v<WhiteBoxAttack, Method>;
  using Base = std::conditional_t<white, WhiteBoxAttack, BlackBoxAttack>;
  const AttackDoc doc = Method::doc();
  registry().add(base::make_entry<AnyAttack, typename Method::Options>(
      {doc.name, doc.summary, doc.source},
      {{"view", white ? "white-box" : "black-box"}, {"goal", doc.goal == Goal::input ? "input" : "prediction"}},
      [](const typename Method::Options& options) -> AnyAttack {
        return std::shared_ptr<const Base>(std::make_shared<const Method>(options));
      }));
  return true;
}

}  // namespace infoscissors::attack
