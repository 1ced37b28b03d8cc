#include "infoscissors/nn/backbone.h"

#include "infoscissors/nn/norm.h"

#include <torch/nn/modules/conv.h>

#include <algorithm>
#include <cmath>

namespace infoscissors::nn {

std::int64_t scaled(std::int64_t channels, double width) {
  return std::max<std::int64_t>(1, std::llround(static_cast<double>(channels) * width));
}

LayerPtr conv_norm_relu(std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t stride, bool rectified,
                        std::int64_t groups) {
  auto layers = std::make_shared<Sequence>();
  const auto options =
      torch::nn::Conv2dOptions(in, out, kernel).stride(stride).padding(kernel / 2).groups(groups).bias(false);
  layers->append("conv", wrap(torch::nn::Conv2d(options)));
  layers->append("norm", batch_norm(out));
  if (rectified) layers->append("relu", relu());
  return layers;
}

LayerPtr global_average_pool() {
  return std::make_shared<Function>([](const torch::Tensor& x) { return x.mean({2, 3}); });
}

}  // namespace infoscissors::nn
