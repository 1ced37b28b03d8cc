#pragma once

#include "infoscissors/tensor/torch.h"

#include <cstdint>
#include <optional>

namespace infoscissors::mi {

/// A score of every pair as one matrix product: s(i, j) = left_i . right_j + left_bias_i + right_bias_j, with i over
/// the samples of x and j over those of y; pair (k, k) is a true pair for every k both sides have. Critics that are
/// separable and exponential families (whose log-density is T(y) . eta(x) - A(x)) have this form.
struct Factors {
  torch::Tensor left, left_bias;    // (M, E), (M): x
  torch::Tensor right, right_bias;  // (N, E), (N): y

  torch::Tensor diagonal() const;                             // s(k, k), (min(M, N))
  torch::Tensor all() const;                                  // (M, N); for small M and N only
  Factors slice(std::int64_t begin, std::int64_t end) const;  // the true pairs [begin, end)
};

/// log sum exp s over a row or column of the matrix without its diagonal. Computed in blocks of at most kBlock rows:
/// memory is O(kBlock N), never O(M N). An empty sum is -infinity.
struct LogSums {
  torch::Tensor rows;     // (M): over j != i
  torch::Tensor columns;  // (N): over i != j
};
constexpr std::int64_t kBlock = 1024;

/// `clip`: s is clipped to [-clip, clip] first (SMILE).
LogSums off_diagonal_log_sums(const Factors& factors, std::optional<double> clip = std::nullopt);

/// The log-density ratio ln p(u, v) / (p(u) p(v)) of white variables with canonical correlations rho.
/// u: (M, p), v: (N, q), rho: (min(p, q)) in [0, 1).
Factors gaussian_factors(const torch::Tensor& u, const torch::Tensor& v, const torch::Tensor& rho);

/// The terms of InfoNCE: s(i, i) - ln (1/N) sum_j exp s(i, j), (N), each at most ln N. Differentiable for N <= kBlock.
torch::Tensor infonce_terms(const Factors& factors);

/// Number of equal pieces of at most kPiece true pairs; all-pairs statistics are averaged over pieces, so that the work
/// is O(N kPiece). A million pairs need minutes, not a matrix of 10^12.
constexpr std::int64_t kPiece = 8192;
std::int64_t piece_count(std::int64_t pairs);

}  // namespace infoscissors::mi
