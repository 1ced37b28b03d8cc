#pragma once

#include "infoscissors/tensor/torch.h"

namespace infoscissors::defense {

/// Distance correlation of paired samples (Szekely et al. 2007, V-statistics): pairwise Euclidean
/// distances, double-centred to A and B; sqrt(S_ab) / sqrt(sqrt(S_aa) sqrt(S_bb)) with S_ab = sum(A B) / n^2. In
/// [0, 1]; for n -> infinity 0 just where the two are independent. A constant side gives (nearly) 0. Differentiable.
/// a, b: (n, ...), any range -> scalar.
torch::Tensor distance_correlation(const torch::Tensor& a, const torch::Tensor& b);

}  // namespace infoscissors::defense
