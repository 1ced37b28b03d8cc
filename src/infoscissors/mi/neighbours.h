#pragma once

#include "infoscissors/tensor/torch.h"

#include <cstdint>

namespace infoscissors::mi {

/// Per-sample terms of the Kozachenko-Leonenko estimate of differential entropy in nats with the maximum norm:
/// psi(N) - psi(k) + d ln(2 eps_i), eps_i the distance to the k-th neighbour. points: (N, d), N > k -> (N) float64.
/// Biased upward in many dimensions. Work O(N^2 d), memory O(kBlock N).
torch::Tensor neighbour_entropy_terms(const torch::Tensor& points, std::int64_t k);

/// Where k or more copies of a pair exist the radius is 0; the two estimators below then count the copies (Gao et al.,
/// NeurIPS 2017), which is the plug-in estimate of discrete variables.

/// Per-pair terms of Kraskov's first estimator: psi(k) + psi(N) - psi(n_x + 1) - psi(n_y + 1). -> (N) float64.
torch::Tensor kraskov_terms(const torch::Tensor& x, const torch::Tensor& y, std::int64_t k);

/// Per-pair terms of Ross's estimator for a number x and a label y: psi(N) + psi(k) - psi(N_class) - psi(m_i), where
/// m_i counts the points within the distance to the k-th neighbour of the same class. labels: (N), each class with more
/// than k.
torch::Tensor ross_terms(const torch::Tensor& x, const torch::Tensor& labels, std::int64_t k);

}  // namespace infoscissors::mi
