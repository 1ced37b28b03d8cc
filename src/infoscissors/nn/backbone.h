#pragma once

#include "infoscissors/nn/layer.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace infoscissors::nn {

/// A convolutional network as an ordered list of blocks, so that a cut is an index: the stem (first convolution), four
/// stages, and a last block that pools to a feature vector.
struct Backbone {
  struct Block {
    std::string name;  // "stem", "stage1" .. "stage4", "pool"
    LayerPtr layer;
  };
  std::vector<Block> blocks;
  std::int64_t features = 0;  // D, the size of the feature vector
};

constexpr std::int64_t kStages = 4;

/// One file a family; `width` multiplies every channel count (at least 1 channel stays).
Backbone resnet18(std::int64_t image_channels, double width);
Backbone resnet_small(std::int64_t image_channels, double width);
Backbone vgg11(std::int64_t image_channels, double width);
Backbone mobilenet_v2(std::int64_t image_channels, double width);

/// Building blocks the families share.
std::int64_t scaled(std::int64_t channels, double width);

/// A convolution without bias, a batch norm, and a ReLU where `rectified`.
class ConvNorm : public Layer {
 public:
  ConvNorm(std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t stride, bool rectified,
           std::int64_t groups);
  torch::Tensor forward(const torch::Tensor& input) override;
  /// relu(norm(conv(input)) + residual), the end of a residual block.
  torch::Tensor forward_onto(const torch::Tensor& input, const torch::Tensor& residual);

 private:
  LayerPtr conv_, norm_;
  bool rectified_;
};
std::shared_ptr<ConvNorm> conv_norm_relu(std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t stride,
                                         bool rectified = true, std::int64_t groups = 1);
LayerPtr global_average_pool();

}  // namespace infoscissors::nn
