#pragma once

#include "infoscissors/device/device.h"

#include "infoscissors/tensor/torch.h"

namespace infoscissors::device {

/// Pictures as the network takes them: (N, C, H, W) float32 in [0, 1]. Throws Error naming the first that does not fit.
torch::Tensor to_tensor(const std::vector<image::Image>& pictures, const std::vector<std::int64_t>& shape, Fit fit);

}  // namespace infoscissors::device
