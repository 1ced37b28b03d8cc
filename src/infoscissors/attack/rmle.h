#pragma once

#include "infoscissors/tensor/torch.h"

#include <functional>

namespace infoscissors::attack {

/// Total variation with squared differences (He et al. 2019, equation 4 with beta = 2), each direction averaged over
/// its differences so that the weight means the same at every image size. images: (B, C, ...) -> (B); every dimension
/// behind the channel is a direction. A side of one pixel contributes nothing.
torch::Tensor total_variation(const torch::Tensor& images);

/// The objective of regularised maximum likelihood, one value an image, (B):
///     mean (represent(x') - target)^2 + tv * TV(x') + l2 * mean x'^2
/// images: (B, ...) in [0, 1]; represent(images) and target: (B, ...) of one shape. A sum of it gives each image
/// the gradient that it would have alone.
torch::Tensor rmle_objective(const torch::Tensor& images,
                             const std::function<torch::Tensor(const torch::Tensor&)>& represent,
                             const torch::Tensor& target, double tv, double l2);

}  // namespace infoscissors::attack
