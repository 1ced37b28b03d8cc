#include "infoscissors/nn/backbone.h"

namespace infoscissors::nn {
namespace {

/// Every second row and column.
torch::Tensor subsample(const torch::Tensor& x) {
  return x.slice(2, 0, x.size(2), 2).slice(3, 0, x.size(3), 2);
}

/// The projection of a shortcut. A 1x1 convolution with stride 2 reads every second position only; taking those first
/// gives the same values and keeps clear of oneDNN 2.6, whose backward pass of a strided 1x1 convolution in
/// channels-last layout writes outside its buffers for few channels.
LayerPtr projection(std::int64_t in, std::int64_t out, std::int64_t stride) {
  auto layers = std::make_shared<Sequence>();
  if (stride == 2) layers->append("subsample", std::make_shared<Function>(subsample));
  layers->append("project", conv_norm_relu(in, out, 1, 1, false));
  return layers;
}

/// Two 3x3 convolutions with a shortcut (He et al. 2016, figure 2); a 1x1 projection where the shape changes.
class BasicBlock : public Layer {
 public:
  BasicBlock(std::int64_t in, std::int64_t out, std::int64_t stride)
      : first_(register_module("first", conv_norm_relu(in, out, 3, stride))),
        second_(register_module("second", conv_norm_relu(out, out, 3, 1, false))) {
    if (in != out || stride != 1) shortcut_ = register_module("shortcut", projection(in, out, stride));
  }

  torch::Tensor forward(const torch::Tensor& x) override {
    const auto kept = shortcut_ ? shortcut_->forward(x) : x;
    return second_->forward_onto(first_->forward(x), kept);
  }

 private:
  std::shared_ptr<ConvNorm> first_, second_;
  LayerPtr shortcut_;
};

Backbone make_resnet(std::int64_t image_channels, std::int64_t base, std::int64_t blocks_per_stage) {
  Backbone net;
  net.blocks.push_back({"stem", conv_norm_relu(image_channels, base, 3, 1)});
  std::int64_t in = base;
  for (std::int64_t stage = 0; stage < kStages; ++stage) {
    const std::int64_t out = base << stage;
    auto layers = std::make_shared<Sequence>();
    for (std::int64_t block = 0; block < blocks_per_stage; ++block) {
      const std::int64_t stride = stage > 0 && block == 0 ? 2 : 1;
      layers->append("block" + std::to_string(block + 1), std::make_shared<BasicBlock>(in, out, stride));
      in = out;
    }
    net.blocks.push_back({"stage" + std::to_string(stage + 1), layers});
  }
  net.blocks.push_back({"pool", global_average_pool()});
  net.features = in;
  return net;
}

}  // namespace

Backbone resnet18(std::int64_t image_channels, double width) {
  return make_resnet(image_channels, scaled(64, width), 2);
}

Backbone resnet_small(std::int64_t image_channels, double width) {
  return make_resnet(image_channels, scaled(16, width), 1);
}

}  // namespace infoscissors::nn
