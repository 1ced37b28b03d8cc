#pragma once

#include "infoscissors/tensor/torch.h"

#include <cstdint>

namespace infoscissors::attack {

struct Clusters {
  torch::Tensor centres;   // (K, D)
  torch::Tensor assigned;  // (N) int64
  double inertia = 0;      // sum of squared distances to the assigned centres
};

/// Lloyd's k-means from k-means++ centres (Arthur and Vassilvitskii 2007), the lowest inertia of `starts` runs of at
/// most `steps` rounds. points: (N, D) with N >= clusters. An empty cluster moves to the point that is worst served.
Clusters k_means(const torch::Tensor& points, std::int64_t clusters, std::int64_t steps, std::int64_t starts,
                 torch::Generator generator);

}  // namespace infoscissors::attack
