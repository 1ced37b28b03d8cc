#pragma once

#include "infoscissors/attack/view.h"
#include "infoscissors/base/json.h"
#include "infoscissors/base/registry.h"

#include <memory>
#include <string>
#include <type_traits>
#include <variant>

namespace infoscissors::attack {

enum class Goal { input, prediction };

/// What an attack returns. The runner, which alone knows the truth, measures it.
struct Outcome {
  torch::Tensor reconstructions;  // goal input: (N, C, H, W) in [0, 1]
  torch::Tensor predictions;      // goal prediction: (N) int64
  base::Json details;             // what the attack itself observed: its validation losses, steps, queries used
};

/// An attack by a server that is granted a view, and no more.
template <class Granted>
class AttackOn {
 public:
  using View = Granted;
  virtual ~AttackOn() = default;
  virtual Outcome run(const View& view) const = 0;
};

using NoQueryAttack = AttackOn<NoQueryView>;
using BlackBoxAttack = AttackOn<BlackBoxView>;
using WhiteBoxAttack = AttackOn<WhiteBoxView>;
using AdaptiveAttack = AttackOn<AdaptiveView>;
using AdaptiveWhiteBoxAttack = AttackOn<AdaptiveWhiteBoxView>;

/// An attack by a server that takes part in the training and scales its own updates there.
class ActiveAttack : public AttackOn<ActiveView> {
 public:
  /// The factor of each coordinate of the server's update, from its own momentum buffer after this step and, unscaled,
  /// after the step before; all flat of one size. It sees nothing of the device's parameters or data.
  virtual torch::Tensor factor(const torch::Tensor& now, const torch::Tensor& before) const = 0;

  /// The options that change the training, as text: attacks that agree in it can share the trained network.
  virtual std::string training() const = 0;
};

/// One of the threat models. The alternative decides which view the runner builds, so a black-box attack is never
/// handed a head.
using AnyAttack = std::variant<std::shared_ptr<const NoQueryAttack>, std::shared_ptr<const BlackBoxAttack>,
                               std::shared_ptr<const WhiteBoxAttack>, std::shared_ptr<const ActiveAttack>,
                               std::shared_ptr<const AdaptiveAttack>, std::shared_ptr<const AdaptiveWhiteBoxAttack>>;

struct AttackDoc {
  std::string name, summary, source;
  Goal goal;
};

base::Registry<AnyAttack>& registry();

/// The name of the view that the attack is granted: "black-box", "white-box", ...
std::string view_name(const AnyAttack& attack);
Goal goal_of(const std::string& name);

/// Registers a class with a nested Options, a static doc() -> AttackDoc and a constructor from Options. One line at
/// the end of the attack's file:  const bool kKaRegistered = register_attack<Ka>();
template <class Method>
bool register_attack() {
  using View = typename Method::View;
  using Base = std::conditional_t<std::is_base_of_v<ActiveAttack, Method>, ActiveAttack, AttackOn<View>>;
  const AttackDoc doc = Method::doc();
  registry().add(base::make_entry<AnyAttack, typename Method::Options>(
      {doc.name, doc.summary, doc.source},
      {{"view", View::kName}, {"goal", doc.goal == Goal::input ? "input" : "prediction"}},
      [](const typename Method::Options& options) -> AnyAttack {
        return std::shared_ptr<const Base>(std::make_shared<const Method>(options));
      }));
  return true;
}

}  // namespace infoscissors::attack
