#pragma once

#include "infoscissors/base/json.h"
#include "infoscissors/base/registry.h"
#include "infoscissors/mi/health.h"
#include "infoscissors/mi/pairs.h"
#include "infoscissors/tensor/torch.h"

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>

namespace infoscissors::mi {

/// What an estimator's expectation is, of the mutual information, under the condition that its doc states.
enum class Bound { upper, lower, neither };
std::string to_string(Bound bound);

/// An estimate of I(x; y) in nats.
struct Estimate {
  double value = 0;
  /// 95 % interval of the sampling error on the held-out pairs, with the fitted parts taken as given; it says nothing
  /// of the bias that the bound or a misfit causes. For upper bounds that rest on a fitted q(y|x), `high` also contains
  /// health.missing, an estimate of the likelihood that fitting q on finitely many pairs has cost: half of the gap
  /// between fitted and held-out pairs, which is what a well-specified maximum-likelihood fit loses on average.
  double low = 0, high = 0;
  Bound bound = Bound::neither;
  std::int64_t pairs = 0;  // held-out pairs
  Health health;
  base::Json details;  // what the method observed: epochs, coordinates, reference samples
};

base::Json to_json(const Estimate& estimate);

/// What a method computes from held-out pairs.
struct Terms {
  double value = 0;
  torch::Tensor influence;  // (N) float64: each pair's contribution, whose deviation over sqrt(N) is the standard error
  double ceiling = std::numeric_limits<double>::infinity();
  double missing = 0;
  bool saturated = false;
  bool unreliable = false;
  base::Json details = base::Json::object();
};

/// A method of estimating mutual information from pairs. fit() and estimate() take different pairs.
class Estimator {
 public:
  virtual ~Estimator() = default;

  /// Deterministic in (pairs, seed). Throws UsageError where the method does not take such pairs.
  void fit(const Pairs& pairs, std::uint64_t seed);

  /// Throws Error before fit(), for another shape, and for the very pairs it was fitted to.
  Estimate estimate(const Pairs& held_out) const;

  /// The plain value without interval and health; for the permutation test and for benchmarks.
  double value(const Pairs& held_out) const;

  virtual Bound bound(const Pairs& pairs) const = 0;
  /// Whether fit() learns anything; where it does not, measure() spends every pair on the estimate.
  virtual bool learns() const { return true; }

 protected:
  struct FitState {
    bool converged = true;
    base::Json details = base::Json::object();
  };
  virtual FitState do_fit(const Pairs& pairs, std::uint64_t seed) = 0;
  virtual Terms terms(const Pairs& held_out) const = 0;

 private:
  void check(const Pairs& held_out) const;

  Pairs fitted_;
  FitState state_;
};

using EstimatorPtr = std::shared_ptr<Estimator>;

struct MeasureOptions {
  double held_out = 0.5;           // share of the pairs that is not fitted, (0, 1)
  std::int64_t permutations = 99;  // of the test for any information at all; 0: none
  std::uint64_t seed = 0;
};

/// Splits, fits, estimates on the held-out part, and tests "no information": the fitted statistic is recomputed with y
/// permuted among (at most 1000) held-out pairs; p = (1 + as large or larger) / (1 + permutations). The test is exact
/// for any fit, since the fitted parts never saw these pairs; it is not a test of the value.
Estimate measure(Estimator& estimator, const Pairs& pairs, const MeasureOptions& options);

/// The same with the split given; a method that learns nothing uses the held-out part alone, too.
Estimate measure(Estimator& estimator, const Split& parts, const MeasureOptions& options);

base::Registry<EstimatorPtr>& registry();

/// `name(key=value,...)` -> estimator. Throws UsageError.
EstimatorPtr make_estimator(std::string_view spec);

/// What a method says of itself: what it bounds, and when.
struct EstimatorDoc {
  std::string name, summary, source;
  Bound bound;
  std::string condition;  // under which it is that bound
};

/// Registers a class with a nested Options (fields()), a static doc() -> EstimatorDoc and a constructor from Options.
template <class Method>
bool register_estimator() {
  const EstimatorDoc doc = Method::doc();
  registry().add(base::make_entry<EstimatorPtr, typename Method::Options>(
      {doc.name, doc.summary, doc.source},
      {{"bound", to_string(doc.bound)}, {"condition", doc.condition}, {"units", "nats"}},
      [](const typename Method::Options& options) -> EstimatorPtr { return std::make_shared<Method>(options); }));
  return true;
}

}  // namespace infoscissors::mi
