#include "infoscissors/mi/estimator.h"

#include "infoscissors/base/error.h"
#include "infoscissors/tensor/device.h"

#include <algorithm>
#include <cmath>

namespace infoscissors::mi {
namespace {

using base::Error;

constexpr double kNormal95 = 1.959964;
constexpr double kCeilingShare = 0.9;
constexpr double kPairsPerDimension = 10;
constexpr std::int64_t kTestPairs = 1000;

double standard_error(const torch::Tensor& influence) {
  const auto n = static_cast<double>(influence.size(0));
  return std::sqrt(influence.var(/*unbiased=*/true).item<double>() / n);
}

}  // namespace

std::string to_string(Bound bound) {
  switch (bound) {
    case Bound::upper:
      return "upper";
    case Bound::lower:
      return "lower";
    case Bound::neither:
      return "neither";
  }
  throw Error("[mi] unknown bound");
}

base::Json to_json(const Estimate& estimate) {
  const auto number = [](double value) -> base::Json {
    return std::isfinite(value) ? base::Json(value) : base::Json(nullptr);
  };
  const auto& health = estimate.health;
  return {{"value", number(estimate.value)},
          {"low", number(estimate.low)},
          {"high", number(estimate.high)},
          {"units", "nats"},
          {"bound", to_string(estimate.bound)},
          {"held_out_pairs", estimate.pairs},
          {"fitted_pairs", health.pairs},
          {"ceiling", number(health.ceiling_value)},
          {"missing", number(health.missing)},
          {"p_value", health.p_value ? base::Json(*health.p_value) : base::Json(nullptr)},
          {"flags", health.flags()},
          {"details", estimate.details}};
}

void Estimator::fit(const Pairs& pairs, std::uint64_t seed) {
  state_ = do_fit(pairs, seed);
  fitted_ = pairs;
}

void Estimator::check(const Pairs& held_out) const {
  if (!fitted_.x.defined()) {
    if (learns()) throw Error("[mi] estimate() was called before fit()");
    return;
  }
  if (held_out.x.size(1) != fitted_.x.size(1) || held_out.y.size(1) != fitted_.y.size(1) ||
      held_out.classes != fitted_.classes) {
    throw Error("[mi] the held-out pairs have other dimensions than the fitted ones");
  }
  if (learns() && held_out.size() == fitted_.size() && torch::equal(held_out.x, fitted_.x) &&
      torch::equal(held_out.y, fitted_.y)) {
    throw Error("[mi] an estimate on the pairs that were fitted would be meaningless; hold some out");
  }
}

double Estimator::value(const Pairs& held_out) const {
  torch::NoGradGuard no_grad;
  check(held_out);
  return terms(held_out).value;
}

Estimate Estimator::estimate(const Pairs& held_out) const {
  torch::NoGradGuard no_grad;
  check(held_out);
  const Terms result = terms(held_out);
  Estimate estimate;
  estimate.value = result.value;
  estimate.bound = bound(held_out);
  estimate.pairs = held_out.size();
  estimate.details = result.details;
  estimate.details.update(state_.details);
  const double margin = kNormal95 * standard_error(result.influence);
  estimate.low = result.value - margin;
  estimate.high = result.value + margin + (estimate.bound == Bound::upper ? result.missing : 0.0);
  Health& health = estimate.health;
  health.value = result.value;
  health.not_finite = !std::isfinite(result.value) || !std::isfinite(margin);
  health.negative = result.value < 0;
  health.saturated = result.saturated;
  health.ceiling_value = std::min(result.ceiling, held_out.labelled() ? label_entropy(held_out) : result.ceiling);
  health.ceiling = std::isfinite(health.ceiling_value) && result.value > kCeilingShare * health.ceiling_value;
  health.unconverged = !state_.converged;
  health.missing = result.missing;
  health.overfitted = result.missing > 0.05 * std::abs(result.value) && result.missing > margin;
  health.unreliable_variance = result.unreliable;
  health.pairs = learns() ? fitted_.size() : held_out.size();
  health.dimension = held_out.x.size(1) + (held_out.labelled() ? 1 : held_out.y.size(1));
  health.small_sample = static_cast<double>(health.pairs) < kPairsPerDimension * static_cast<double>(health.dimension);
  health.constant_columns = constant_columns(held_out);
  health.constant = health.constant_columns > 0;
  if (learns()) health.duplicate_share = duplicate_share(fitted_, held_out);
  health.duplicates = health.duplicate_share > 0.01;
  return estimate;
}

Estimate measure(Estimator& estimator, const Pairs& pairs, const MeasureOptions& options) {
  if (!estimator.learns()) return measure(estimator, Split{pairs, pairs}, options);
  return measure(estimator, split_pairs(pairs, options.held_out, options.seed), options);
}

Estimate measure(Estimator& estimator, const Split& parts, const MeasureOptions& options) {
  const Pairs& held_out = parts.held_out;
  if (estimator.learns()) estimator.fit(parts.fit, options.seed);
  Estimate estimate = estimator.estimate(held_out);
  if (options.permutations < 1 || estimate.health.not_finite) return estimate;
  auto generator = tensor::make_generator(torch::kCPU, options.seed, "mi/permutation");
  const auto device = held_out.x.device();
  const Pairs some = held_out.select(torch::arange(std::min(kTestPairs, held_out.size()), device));
  const double observed = estimator.value(some);
  std::int64_t as_large = 0;
  for (std::int64_t i = 0; i < options.permutations; ++i) {
    const auto order = torch::randperm(some.size(), generator, torch::TensorOptions(torch::kInt64)).to(device);
    if (!(estimator.value(some.with_y_permuted(order)) < observed)) ++as_large;
  }
  estimate.health.p_value = static_cast<double>(1 + as_large) / static_cast<double>(1 + options.permutations);
  estimate.health.indistinguishable = *estimate.health.p_value > 0.05;
  return estimate;
}

base::Registry<EstimatorPtr>& registry() {
  static base::Registry<EstimatorPtr> instance("information estimator");
  return instance;
}

EstimatorPtr make_estimator(std::string_view spec) {
  return registry().make(base::parse_spec(spec));
}

}  // namespace infoscissors::mi
