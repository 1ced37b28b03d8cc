#include "infoscissors/attack/amc.h"

#include "infoscissors/attack/completion.h"
#include "infoscissors/attack/query.h"

namespace infoscissors::attack {

torch::Tensor malicious_factor(const torch::Tensor& now, const torch::Tensor& before, double least, double most) {
  return (1 + now / (before + 1e-7)).clamp(least, most);
}

namespace {

struct AmcOptions : CompletionOptions {
  double least = 1;
  double most = 5;

  base::Fields fields() {
    auto list = CompletionOptions::fields();
    list.push_back({"least", &least, base::at_least(0), "smallest factor of a coordinate's update"});
    list.push_back({"most", &most, base::at_least(1), "largest factor of a coordinate's update"});
    return list;
  }
};

/// Active model completion: while training, the server speeds its own updates up, so that the network comes to rely on
/// its part for what the classifier should do; then it completes the model.
class Amc final : public ActiveAttack {
 public:
  static constexpr const char* kName = "amc";
  using Options = AmcOptions;
  explicit Amc(Options options) : options_(std::move(options)) {
    if (options_.least > options_.most)
      throw base::UsageError("[amc] least must be <= most, got {:g} > {:g}", options_.least, options_.most);
  }

  static AttackDoc doc() {
    return {kName, "active model completion: the server scales its own updates while training, then pmc",
            "Fu et al. 2022 (USENIX Security), section 4.2", Goal::prediction};
  }

  torch::Tensor factor(const torch::Tensor& now, const torch::Tensor& before) const override {
    return malicious_factor(now, before, options_.least, options_.most);
  }

  std::string training() const override { return fmt::format("amc(least={},most={})", options_.least, options_.most); }

  Outcome run(const ActiveView& view) const override {
    const auto chosen = draw_labelled(view, kName, options_.labels);
    QueryMeter query(view, kName, options_.labels);
    const Evidence evidence{labelled_features(view, query, chosen.images, 1, 1), view.features.flatten(1)};
    auto outcome = complete(kName, evidence, chosen, options_, view);
    outcome.details["queries"] = query.used();
    return outcome;
  }

 private:
  Options options_;
};

const bool kAmcRegistered = register_attack<Amc>();

}  // namespace
}  // namespace infoscissors::attack
