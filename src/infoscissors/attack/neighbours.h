#pragma once

#include "infoscissors/tensor/torch.h"

#include <cstdint>
#include <string>

namespace infoscissors::attack {

/// Distances of every row to every labelled one: (N, D), (L, D) -> (N, L). `metric`: "euclidean", or "cosine" for
/// 1 - cos; a zero vector is at cosine distance 1 from everything.
torch::Tensor distances(const torch::Tensor& rows, const torch::Tensor& labelled, const std::string& metric);

/// The class with most votes among the `neighbours` nearest of each row, (N, L) distances and (L) labels -> (N) int64.
/// Each neighbour has one vote; among classes with equally many, the one whose nearest member is nearest wins, and the
/// first in the list among equal distances.
torch::Tensor vote(const torch::Tensor& distances, const torch::Tensor& labels, std::int64_t neighbours,
                   std::int64_t classes);

}  // namespace infoscissors::attack
