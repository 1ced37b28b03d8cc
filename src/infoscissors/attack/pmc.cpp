#include "infoscissors/attack/attack.h"
#include "infoscissors/attack/completion.h"
#include "infoscissors/attack/query.h"

namespace infoscissors::attack {
namespace {

struct PmcOptions : CompletionOptions {
  std::int64_t draws = 1;

  base::Fields fields() {
    auto list = CompletionOptions::fields();
    list.push_back({"draws", &draws, base::at_least(1),
                    "queries for each labelled image, so that passes see fresh draws of the device's noise"});
    return list;
  }
};

/// Passive model completion: the server completes its encoder with a head of its own.
class Pmc final : public BlackBoxAttack {
 public:
  using Options = PmcOptions;
  explicit Pmc(Options options) : options_(std::move(options)) {}

  static AttackDoc doc() {
    return {"pmc", "passive model completion: a head on v fitted to a few labelled features",
            "Fu et al. 2022 (USENIX Security), section 4.1", Goal::prediction};
  }

  Outcome run(const BlackBoxView& view) const override {
    const auto chosen = draw_labelled(view, "pmc", options_.labels);
    QueryMeter query(view, "pmc", options_.labels * options_.draws);
    const Evidence evidence{labelled_features(view, query, chosen.images, options_.draws, 1), view.features.flatten(1)};
    auto outcome = complete("pmc", evidence, chosen, options_, view);
    outcome.details["queries"] = query.used();
    return outcome;
  }

 private:
  Options options_;
};

const bool kPmcRegistered = register_attack<Pmc>();

}  // namespace
}  // namespace infoscissors::attack
