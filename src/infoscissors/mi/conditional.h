#pragma once

#include "infoscissors/mi/coordinates.h"
#include "infoscissors/mi/estimator.h"
#include "infoscissors/mi/factors.h"
#include "infoscissors/mi/network.h"
#include "infoscissors/tensor/torch.h"

#include <cstdint>

namespace infoscissors::mi {

/// q(y|x), fitted by maximum likelihood with early stopping. For numbers a Gaussian with diagonal covariance in the
/// canonical coordinates v of y, whose mean and log-variance are the Gaussian solution plus a perceptron of u; for
/// labels a softmax of a perceptron. Both are exponential families, log q(y|x) = T(y) . eta(x) - A(x), so that the
/// densities of all pairs are one matrix product.
class Conditional {
 public:
  /// `learn_variance`: false fixes the variance to that of the coordinates' residuals.
  FitReport fit(const Pairs& pairs, const FitOptions& options, std::uint64_t seed, bool learn_variance = true);

  /// log q(y_j | x_i) in nats, of y's coordinates v (another density than that of y itself by a constant, which cancels
  /// in every difference).
  Factors factors(const torch::Tensor& x, const Pairs& targets) const;  // rows: x, columns: targets

  /// E[v | x] of numbers, (N, q).
  torch::Tensor mean(const torch::Tensor& x) const;

  /// log r(y), the fitted marginal: a Gaussian with v's moments, or the labels' frequencies (add-one smoothed). (N)
  torch::Tensor log_marginal(const Pairs& pairs) const;

  const Coordinates& coordinates() const { return coordinates_; }

  /// Half of the gap between the mean log-likelihood of trained and of the given pairs, not below 0: what a
  /// well-specified maximum-likelihood fit loses on new pairs, in nats.
  double missing(const torch::Tensor& log_likelihood) const;

  /// Whether over a hundredth of the log-variances (or probabilities) of `x` are at the end of their range.
  bool saturated(const torch::Tensor& x) const;

  base::Json details() const;

 private:
  struct Prediction {
    torch::Tensor mean, log_variance;  // (N, q)
  };
  Prediction predict(const torch::Tensor& u) const;
  torch::Tensor log_likelihood(const torch::Tensor& u, const torch::Tensor& target) const;
  torch::Tensor target(const Pairs& pairs) const { return classes_ > 0 ? pairs.labels : coordinates_.v(pairs.y); }

  Coordinates coordinates_;
  std::int64_t classes_ = 0;
  bool learn_variance_ = true;
  Perceptron network_;
  torch::Tensor marginal_mean_, marginal_variance_;  // (q); for labels the first holds log-frequencies (K)
  double trained_likelihood_ = 0;
  FitReport report_;
};

/// Base of the estimators that are built on a fitted q(y|x).
class ConditionalEstimator : public Estimator {
 public:
  explicit ConditionalEstimator(FitOptions options) : options_(std::move(options)) {}

 protected:
  FitState do_fit(const Pairs& pairs, std::uint64_t seed) override;
  /// Fills what all of them report: missing, saturated.
  Terms finish(const torch::Tensor& values, const torch::Tensor& log_likelihood, const Pairs& held_out) const;
  const Conditional& q() const { return conditional_; }
  const FitOptions& fit_options() const { return options_; }

 private:
  FitOptions options_;
  Conditional conditional_;
};

}  // namespace infoscissors::mi
