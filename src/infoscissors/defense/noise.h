#pragma once

#include "infoscissors/base/options.h"

#include "infoscissors/tensor/torch.h"

#include <string>

namespace infoscissors::defense {

/// One of gaussian, laplace.
base::Constraint noise_kind();

/// Independent float32 draws in the shape of `like`: "gaussian" with variance 1, "laplace" with scale 1 (variance 2).
torch::Tensor unit_noise(const std::string& kind, const torch::Tensor& like, torch::Generator& generator);
torch::Tensor unit_laplace(torch::IntArrayRef sizes, const torch::Device& device, torch::Generator& generator);

}  // namespace infoscissors::defense
