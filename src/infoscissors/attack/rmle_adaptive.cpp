#include "infoscissors/attack/attack.h"
#include "infoscissors/attack/query.h"
#include "infoscissors/attack/rmle.h"

namespace infoscissors::attack {
namespace {

struct RmleAdaptiveOptions : ReleaseOptions {
  std::int64_t average = 4;

  RmleAdaptiveOptions() {
    release = true;
    draws = 4;
  }

  base::Fields fields() {
    auto list = ReleaseOptions::fields();
    list.push_back({"average", &average, base::between(1, 10000), "times that each attacked input is seen"});
    return list;
  }
};

/// rmle by an attacker who sees its victims several times and descends on the expectation over the perturbation.
class RmleAdaptive final : public AdaptiveWhiteBoxAttack {
 public:
  static constexpr const char* kName = "rmle-adaptive";
  using Options = RmleAdaptiveOptions;
  explicit RmleAdaptive(Options options) : options_(options) {}

  static AttackDoc doc() {
    return {kName, "rmle on the mean of several observations and the expectation over the defence's randomness",
            "Athalye et al. 2018 (expectation over transformation); He et al. 2019, section 4", Goal::input};
  }

  Outcome run(const AdaptiveWhiteBoxView& view) const override {
    const auto received = observe(view, view.observe, kName, options_.average).representations;
    auto outcome = invert_by_search(kName, view, received, options_.represent(view), options_, options_.judged());
    outcome.details["observations"] = options_.average;
    return outcome;
  }

 private:
  Options options_;
};

const bool kRmleAdaptiveRegistered = register_attack<RmleAdaptive>();

}  // namespace
}  // namespace infoscissors::attack
