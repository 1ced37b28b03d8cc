#pragma once

#include "infoscissors/tensor/torch.h"

#include <cstdint>

namespace infoscissors::mi {

/// Inputs beside what a fitted generator g makes of their representations. Both (N, ...) of Q elements each.
struct Reconstructed {
  torch::Tensor x, g;
};

/// m orthonormal directions of x's Q elements, and a variance s^2 in x's units. A projected reconstruction is a
/// reconstruction of the projected input, so a floor on the squared error along the directions is one for all of it.
/// It matters because pixels that hardly vary have an entropy of -infinity and would make every floor zero.
struct Directions {
  torch::Tensor matrix;  // (Q, m) float32
  double variance = 0;   // s^2: the mean variance of the residual x - g along them

  std::int64_t count() const { return matrix.size(1); }
};

/// The leading principal components of the residual; as many as make the entropy-power floor m exp(2 h / m) largest, at
/// most a quarter of the pairs. The pairs must be neither those g was fitted to nor those the floor is stated for.
Directions residual_directions(const Reconstructed& pairs);

/// Held-out figures of the Gaussian family of the defence along the directions, in nats. `_error`: the standard error
/// over the held-out pairs; `_missing`: half the gap of the log-likelihood between trained and held-out pairs, what a
/// well-specified fit loses on new pairs, not below 0.
struct ResidualFigures {
  /// vCLUB(r; x) over all pairs for q(x|r) = N(g(r), s^2 I) (Duan et al. 2024, section 4). An upper bound of I(r; x)
  /// along the directions as far as q is the true conditional.
  double information = 0, information_error = 0, information_missing = 0;
  /// h(x) of a Gaussian with x's covariance: the largest that x with this covariance can have.
  double entropy = 0;
  /// h(x - g(r)) of a Gaussian with the residual's covariance. Never below h(x|r) but for sampling: equal to it where
  /// the residual is Gaussian and independent of r.
  double conditional_entropy = 0, conditional_error = 0, conditional_missing = 0;
};

/// `trained`: pairs g was fitted to; `held_out`: pairs it never saw, more than there are directions.
ResidualFigures measure_residual(const Directions& directions, const Reconstructed& trained,
                                 const Reconstructed& held_out);

}  // namespace infoscissors::mi
