#include "infoscissors/mi/conditional.h"

#include "infoscissors/base/error.h"
#include "infoscissors/base/random.h"
#include "infoscissors/mi/club.h"
#include "infoscissors/tensor/device.h"

#include <cmath>

namespace infoscissors::mi {
namespace {

constexpr double kLog2Pi = 1.8378770664093453;
constexpr double kLowestLogVariance = -10.0;
constexpr double kHighestLogVariance = 4.0;
constexpr double kSaturatedShare = 0.01;

torch::Tensor pad(const torch::Tensor& columns, std::int64_t width) {
  return torch::constant_pad_nd(columns, {0, width - columns.size(-1)});
}

torch::Tensor gaussian_log_density(const torch::Tensor& v, const torch::Tensor& mean,
                                   const torch::Tensor& log_variance) {
  return -0.5 * ((v - mean).square() * (-log_variance).exp() + log_variance + kLog2Pi).sum(1);
}

}  // namespace

FitReport Conditional::fit(const Pairs& pairs, const FitOptions& options, std::uint64_t seed, bool learn_variance) {
  const Split parts = split_pairs(pairs, kValidationShare, base::derive_seed(seed, "mi/validation"));
  coordinates_ = fit_coordinates(parts.fit, parts.held_out, options.transform);
  classes_ = pairs.classes;
  learn_variance_ = learn_variance;
  auto generator = tensor::make_generator(torch::kCPU, seed, "mi/conditional");
  const auto q = coordinates_.y_map.size(1);
  const auto u = coordinates_.u(parts.fit.x);
  const auto wanted = target(parts.fit);
  const auto validation_u = coordinates_.u(parts.held_out.x);
  const auto validation_target = target(parts.held_out);
  network_ = Perceptron(u.size(1), classes_ > 0 ? classes_ : 2 * q, /*zero=*/true, options, generator, u.device());
  if (classes_ > 0) {
    const auto counts = pairs.labels.bincount({}, classes_).to(torch::kFloat32) + 1.0;
    marginal_mean_ = (counts / counts.sum()).log();
  } else {
    const auto v = coordinates_.v(pairs.y);
    marginal_mean_ = v.mean(0);
    marginal_variance_ = v.var(0, /*unbiased=*/true);
  }
  report_ = fit_parameters(
      network_.parameters(), u.size(0),
      [&](const torch::Tensor& batch) {
        return -log_likelihood(u.index_select(0, batch), wanted.index_select(0, batch)).mean();
      },
      [&] { return log_likelihood(validation_u, validation_target).mean().item<double>(); }, options, generator);
  torch::NoGradGuard no_grad;
  trained_likelihood_ = log_likelihood(u, wanted).mean().item<double>();
  return report_;
}

Conditional::Prediction Conditional::predict(const torch::Tensor& u) const {
  const auto& rho = coordinates_.correlations;
  const auto q = coordinates_.y_map.size(1);
  const auto residual = network_(u);
  const auto linear = pad(u.narrow(1, 0, rho.size(0)) * rho, q);
  auto log_variance = pad((1 - rho.square()).log(), q).expand({u.size(0), q});
  if (learn_variance_) log_variance = log_variance + residual.narrow(1, q, q);
  return {linear + residual.narrow(1, 0, q), log_variance.clamp(kLowestLogVariance, kHighestLogVariance)};
}

torch::Tensor Conditional::log_likelihood(const torch::Tensor& u, const torch::Tensor& wanted) const {
  if (classes_ > 0) return categorical_log_likelihood(network_(u) + marginal_mean_, wanted);
  const auto [centre, log_variance] = predict(u);
  return gaussian_log_density(wanted, centre, log_variance);
}

Factors Conditional::factors(const torch::Tensor& x, const Pairs& targets) const {
  const auto u = coordinates_.u(x);
  const auto zero = torch::zeros({targets.size()}, u.options());
  if (classes_ > 0) {
    const auto log_q = torch::log_softmax(network_(u) + marginal_mean_, 1);
    return {log_q, torch::zeros({u.size(0)}, u.options()), torch::one_hot(targets.labels, classes_).to(torch::kFloat32),
            zero};
  }
  const auto [centre, log_variance] = predict(u);
  const auto v = coordinates_.v(targets.y);
  const auto precision = (-log_variance).exp();
  const auto partition = 0.5 * (centre.square() * precision + log_variance + kLog2Pi).sum(1);
  return {torch::cat({centre * precision, -0.5 * precision}, 1), -partition, torch::cat({v, v.square()}, 1), zero};
}

torch::Tensor Conditional::mean(const torch::Tensor& x) const {
  return predict(coordinates_.u(x)).mean;
}

torch::Tensor Conditional::log_marginal(const Pairs& pairs) const {
  if (classes_ > 0) return marginal_mean_.index_select(0, pairs.labels);
  return gaussian_log_density(coordinates_.v(pairs.y), marginal_mean_, marginal_variance_.log());
}

double Conditional::missing(const torch::Tensor& log_likelihood) const {
  return std::max(0.0, 0.5 * (trained_likelihood_ - log_likelihood.mean().item<double>()));
}

bool Conditional::saturated(const torch::Tensor& x) const {
  const auto u = coordinates_.u(x);
  torch::Tensor extreme;
  if (classes_ > 0) {
    extreme = torch::log_softmax(network_(u) + marginal_mean_, 1) < -kSaturation;
  } else {
    const auto log_variance = predict(u).log_variance;
    extreme = log_variance <= std::log(2 * (1 - kLargestSquaredCorrelation));
    extreme = torch::logical_or(extreme, log_variance >= kHighestLogVariance);
  }
  return extreme.to(torch::kFloat32).mean().item<double>() > kSaturatedShare;
}

base::Json Conditional::details() const {
  return {{"epochs", report_.epochs},
          {"best_epoch", report_.best},
          {"validation_log_likelihood", report_.objective},
          {"transform", coordinates_.scores ? "scores" : "standard"},
          {"canonical_coordinates", coordinates_.canonical}};
}

Estimator::FitState ConditionalEstimator::do_fit(const Pairs& pairs, std::uint64_t seed) {
  const FitReport report = conditional_.fit(pairs, options_, seed);
  return {report.converged, conditional_.details()};
}

Terms ConditionalEstimator::finish(const torch::Tensor& values, const torch::Tensor& log_likelihood,
                                   const Pairs& held_out) const {
  Terms terms;
  terms.influence = values.to(torch::kFloat64);
  terms.value = terms.influence.mean().item<double>();
  terms.missing = conditional_.missing(log_likelihood);
  terms.saturated = conditional_.saturated(held_out.x);
  return terms;
}

}  // namespace infoscissors::mi
