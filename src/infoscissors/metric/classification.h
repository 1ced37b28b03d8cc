#pragma once

#include "infoscissors/tensor/torch.h"

namespace infoscissors::metric {

/// Share of equal entries of two label vectors (N) int64. Throws Error for empty or unequal lengths.
double accuracy(const torch::Tensor& predicted, const torch::Tensor& truth);

}  // namespace infoscissors::metric
