#pragma once

#include "infoscissors/mi/coordinates.h"
#include "infoscissors/mi/estimator.h"
#include "infoscissors/mi/factors.h"
#include "infoscissors/mi/network.h"
#include "infoscissors/tensor/torch.h"

#include <cstdint>
#include <functional>

namespace infoscissors::mi {

/// A separable critic T(x, y) = Gaussian log-density ratio of the canonical coordinates + g(u) . h(v) + a(u) + b(v),
/// whose learned part starts at zero. Any T gives a valid lower bound; the start only decides how much is left to
/// learn.
class Critic {
 public:
  static constexpr std::int64_t kWidth = 32;  // of the product g . h

  /// `loss` of a batch's factors (all pairs of the batch), `objective` of the validation pairs' (larger is better).
  FitReport fit(const Pairs& pairs, const FitOptions& options, std::uint64_t seed,
                const std::function<torch::Tensor(const Factors&)>& loss,
                const std::function<double(const Factors&)>& objective);

  Factors factors(const Pairs& pairs) const;
  base::Json details() const;

 private:
  Factors score(const torch::Tensor& u, const torch::Tensor& v) const;

  Coordinates coordinates_;
  Perceptron product_x_, product_y_, bias_x_, bias_y_;
  FitReport report_;
};

/// Base of the lower bounds that are built on a critic.
class CriticEstimator : public Estimator {
 public:
  explicit CriticEstimator(FitOptions options) : options_(std::move(options)) {}
  Bound bound(const Pairs&) const override { return Bound::lower; }

 protected:
  /// What a batch is trained with, to be minimised. Called in the order of the batches.
  virtual torch::Tensor loss(const Factors& batch) = 0;
  /// The bound itself on one piece of at most kPiece pairs.
  virtual Terms piece(const Factors& factors) const = 0;

  FitState do_fit(const Pairs& pairs, std::uint64_t seed) override;
  Terms terms(const Pairs& held_out) const override;

 private:
  FitOptions options_;
  Critic critic_;
};

/// E[exp T] over the off-diagonal pairs of one piece, in logarithms, and what its sampling error is made of.
struct ExponentialMean {
  double log_mean = 0;
  torch::Tensor ratio;      // (N) float64: (row mean + column mean of pair i) / mean - 1, averaging 1
  bool unreliable = false;  // one sample carries more than a tenth of the sum
};
ExponentialMean exponential_mean(const LogSums& sums);

}  // namespace infoscissors::mi
