#include "infoscissors/nn/backbone.h"

#include "infoscissors/nn/norm.h"

#include <torch/nn/modules/conv.h>

#include <algorithm>
#include <cmath>

namespace infoscissors::nn {

std::int64_t scaled(std::int64_t channels, double width) {
  return std::max<std::int64_t>(1, std::llround(static_cast<double>(channels) * width));
}

ConvNorm::ConvNorm(std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t stride, bool rectified,
                   std::int64_t groups)
    : rectified_(rectified) {
  const auto options =
      torch::nn::Conv2dOptions(in, out, kernel).stride(stride).padding(kernel / 2).groups(groups).bias(false);
  conv_ = register_module("conv", wrap(torch::nn::Conv2d(options)));
  norm_ = register_module("norm", batch_norm(out));
}

torch::Tensor ConvNorm::forward(const torch::Tensor& input) {
  return norm_join(*norm_, conv_->forward(input), {}, rectified_);
}

torch::Tensor ConvNorm::forward_onto(const torch::Tensor& input, const torch::Tensor& residual) {
  return norm_join(*norm_, conv_->forward(input), residual, true);
}

std::shared_ptr<ConvNorm> conv_norm_relu(std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t stride,
                                         bool rectified, std::int64_t groups) {
  return std::make_shared<ConvNorm>(in, out, kernel, stride, rectified, groups);
}

LayerPtr global_average_pool() {
  return std::make_shared<Function>([](const torch::Tensor& x) { return x.mean({2, 3}); });
}

}  // namespace infoscissors::nn
