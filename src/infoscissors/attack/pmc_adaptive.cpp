#include "infoscissors/attack/attack.h"
#include "infoscissors/attack/completion.h"
#include "infoscissors/attack/query.h"

namespace infoscissors::attack {
namespace {

struct PmcAdaptiveOptions : CompletionOptions {
  std::int64_t draws = 25;
  std::int64_t average = 4;

  base::Fields fields() {
    auto list = CompletionOptions::fields();
    list.push_back({"draws", &draws, base::at_least(1), "fresh draws of each labelled feature; passes take turns"});
    list.push_back({"average", &average, base::between(1, 10000),
                    "answers that are averaged for a draw, and times that each attacked input is seen"});
    return list;
  }
};

/// Model completion by an attacker who trains through the defence's randomness and averages it out.
class PmcAdaptive final : public AdaptiveAttack {
 public:
  static constexpr const char* kName = "pmc-adaptive";
  using Options = PmcAdaptiveOptions;
  explicit PmcAdaptive(Options options) : options_(std::move(options)) {}

  static AttackDoc doc() {
    return {kName, "pmc trained through the defence's randomness on means of several answers",
            "Athalye et al. 2018 (expectation over transformation); Fu et al. 2022, section 4.1", Goal::prediction};
  }

  Outcome run(const AdaptiveView& view) const override {
    const auto chosen = draw_labelled(view, kName, options_.labels);
    QueryMeter query(view, kName, options_.labels * options_.draws * options_.average);
    const Evidence evidence{labelled_features(view, query, chosen.images, options_.draws, options_.average),
                            observe(view, view.observe, kName, options_.average).features.flatten(1)};
    auto outcome = complete(kName, evidence, chosen, options_, view);
    outcome.details["queries"] = query.used();
    outcome.details["observations"] = options_.average;
    return outcome;
  }

 private:
  Options options_;
};

const bool kPmcAdaptiveRegistered = register_attack<PmcAdaptive>();

}  // namespace
}  // namespace infoscissors::attack
