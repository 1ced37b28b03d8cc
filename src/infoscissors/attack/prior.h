#pragma once

#include "infoscissors/attack/search.h"

#include "infoscissors/tensor/torch.h"

#include <cstdint>
#include <vector>

namespace infoscissors::attack {

/// An untrained generator (a deep image prior: Ulyanov et al. 2018) of images {C, H, W}: fixed noise at a quarter of
/// the size; twice a 3x3 convolution, a normalisation over channels and positions, a leaky ReLU (0.1) and a bilinear
/// enlargement; once more without the enlargement; a last 3x3 convolution; a sigmoid.
struct PriorShape {
  std::int64_t channels, height, width;  // of the image
  std::int64_t hidden;                   // channels inside

  std::vector<std::int64_t> sides(std::int64_t size) const;  // a quarter, a half and the whole of it, rounded up
};

/// (1, hidden, H/4, W/4) uniform in [-1, 1].
torch::Tensor prior_noise(const PriorShape& shape, torch::Generator generator);

/// Weights and biases of the four convolutions for each of `count` candidates: {(count, out, in, 3, 3), (count, out)}
/// four times; normal with variance 2 / fan-in, biases 0.
std::vector<torch::Tensor> prior_weights(const PriorShape& shape, std::int64_t count, torch::Generator generator);

/// The images that M sets of weights make of the same noise, (M, C, H, W) in [0, 1]. Grouped convolutions: every
/// candidate has a generator of its own, all in one batch.
torch::Tensor prior_images(const PriorShape& shape, const torch::Tensor& noise,
                           const std::vector<torch::Tensor>& weights);

}  // namespace infoscissors::attack
