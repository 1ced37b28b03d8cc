#include "infoscissors/nn/backbone.h"

namespace infoscissors::nn {
namespace {

LayerPtr relu6() {
  return std::make_shared<Function>([](const torch::Tensor& x) { return torch::clamp(x, 0, 6); });
}

LayerPtr conv_norm_relu6(std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t stride,
                         std::int64_t groups = 1) {
  auto layers = std::make_shared<Sequence>();
  layers->append("conv", conv_norm_relu(in, out, kernel, stride, false, groups));
  layers->append("relu", relu6());
  return layers;
}

/// Expand, filter each channel, project without a non-linearity (Sandler et al. 2018, table 1).
class InvertedResidual : public Layer {
 public:
  InvertedResidual(std::int64_t in, std::int64_t out, std::int64_t stride, std::int64_t expansion)
      : kept_(stride == 1 && in == out) {
    auto layers = std::make_shared<Sequence>();
    const std::int64_t hidden = in * expansion;
    if (expansion != 1) layers->append("expand", conv_norm_relu6(in, hidden, 1, 1));
    layers->append("filter", conv_norm_relu6(hidden, hidden, 3, stride, hidden));
    layers->append("project", conv_norm_relu(hidden, out, 1, 1, false));
    layers_ = register_module("layers", layers);
  }

  torch::Tensor forward(const torch::Tensor& x) override {
    const auto y = layers_->forward(x);
    return kept_ ? x + y : y;
  }

 private:
  bool kept_;
  std::shared_ptr<Sequence> layers_;
};

struct Group {
  std::int64_t expansion, channels, repeats, stride;
};

// Table 2 of the paper with the strides customary for 32x32 images: the first two reductions are left out.
const std::vector<std::vector<Group>> kGroups = {
    {{1, 16, 1, 1}, {6, 24, 2, 1}}, {{6, 32, 3, 2}}, {{6, 64, 4, 2}, {6, 96, 3, 1}}, {{6, 160, 3, 2}, {6, 320, 1, 1}}};

}  // namespace

Backbone mobilenet_v2(std::int64_t image_channels, double width) {
  Backbone net;
  std::int64_t in = scaled(32, width);
  net.blocks.push_back({"stem", conv_norm_relu6(image_channels, in, 3, 1)});
  for (std::size_t stage = 0; stage < kGroups.size(); ++stage) {
    auto layers = std::make_shared<Sequence>();
    for (const auto& group : kGroups[stage]) {
      for (std::int64_t i = 0; i < group.repeats; ++i) {
        const std::int64_t out = scaled(group.channels, width);
        layers->append("block" + std::to_string(layers->size() + 1),
                       std::make_shared<InvertedResidual>(in, out, i == 0 ? group.stride : 1, group.expansion));
        in = out;
      }
    }
    if (stage + 1 == kGroups.size()) {
      net.features = scaled(1280, width);
      layers->append("last", conv_norm_relu6(in, net.features, 1, 1));
    }
    net.blocks.push_back({"stage" + std::to_string(stage + 1), layers});
  }
  net.blocks.push_back({"pool", global_average_pool()});
  return net;
}

}  // namespace infoscissors::nn
