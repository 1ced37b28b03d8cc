#include "infoscissors/base/error.h"
#include "infoscissors/mi/estimator.h"
#include "infoscissors/mi/neighbours.h"

namespace infoscissors::mi {
namespace {

/// Nearest neighbours: nothing is learned, so it is the reference for low dimensions (up to about 5 in all; beyond it
/// falls far below the truth). For labels the form of Ross.
class Ksg : public Estimator {
 public:
  struct Options {
    std::int64_t k = 3;
    std::int64_t most = 10000;
    base::Fields fields() {
      return {{"k", &k, base::between(1, 100), "neighbours; more of them lower the variance and raise the bias"},
              {"most", &most, base::between(kFewestPairs, 1 << 17), "pairs used at most (the work is quadratic)"}};
    }
  };
  static EstimatorDoc doc() {
    return {"ksg", "k nearest neighbours, nothing learned; the reference in low dimensions",
            "Kraskov et al., Phys. Rev. E 69 (2004) 066138, equation (8); labels: Ross, PLoS ONE 9 (2014) e87357",
            Bound::neither, "consistent as pairs grow; biased downward in many dimensions and for strong dependence"};
  }
  explicit Ksg(const Options& options) : options_(options) {}
  Bound bound(const Pairs&) const override { return Bound::neither; }
  bool learns() const override { return false; }

 protected:
  FitState do_fit(const Pairs&, std::uint64_t) override { return {}; }

  Terms terms(const Pairs& held_out) const override {
    const auto count = std::min(held_out.size(), options_.most);
    const Pairs some = held_out.select(torch::arange(count, held_out.x.device()));
    if (options_.k >= count)
      throw base::UsageError("[ksg] k must be below the number of pairs ({}), got {}", count, options_.k);
    Terms result;
    if (some.labelled()) {
      const auto smallest = some.labels.bincount({}, some.classes).min().item<std::int64_t>();
      if (smallest <= options_.k)
        throw base::Error("[ksg] the smallest class has {} pairs; more than k = {} are needed", smallest, options_.k);
      result.influence = ross_terms(some.x, some.labels, options_.k);
    } else {
      result.influence = kraskov_terms(some.x, some.y, options_.k);
    }
    result.value = result.influence.mean().item<double>();
    // No term exceeds this: the neighbours cannot be closer than k of N points.
    result.ceiling = (torch::digamma(torch::tensor(static_cast<double>(count))) -
                      torch::digamma(torch::tensor(static_cast<double>(options_.k))))
                         .item<double>();
    result.details["pairs_used"] = count;
    return result;
  }

 private:
  Options options_;
};

const bool kKsgRegistered = register_estimator<Ksg>();

}  // namespace
}  // namespace infoscissors::mi
