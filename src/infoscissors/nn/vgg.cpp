#include "infoscissors/nn/backbone.h"

namespace infoscissors::nn {
namespace {

// Halves height and width where there is anything to halve, so that small images pass too.
LayerPtr halve() {
  return std::make_shared<Function>([](const torch::Tensor& x) {
    const auto window = [](std::int64_t size) { return std::min<std::int64_t>(2, size); };
    return torch::max_pool2d(x, {window(x.size(2)), window(x.size(3))});
  });
}

}  // namespace

/// VGG configuration A with batch norm (Simonyan and Zisserman 2015, table 1), its pooling at the start of each stage
/// so that the first convolution stands alone.
Backbone vgg11(std::int64_t image_channels, double width) {
  const std::vector<std::vector<std::int64_t>> stages = {{128}, {256, 256}, {512, 512}, {512, 512}};
  Backbone net;
  std::int64_t in = scaled(64, width);
  net.blocks.push_back({"stem", conv_norm_relu(image_channels, in, 3, 1)});
  for (std::size_t stage = 0; stage < stages.size(); ++stage) {
    auto layers = std::make_shared<Sequence>();
    layers->append("pool", halve());
    for (std::size_t i = 0; i < stages[stage].size(); ++i) {
      const std::int64_t out = scaled(stages[stage][i], width);
      layers->append("conv" + std::to_string(i + 1), conv_norm_relu(in, out, 3, 1));
      in = out;
    }
    net.blocks.push_back({"stage" + std::to_string(stage + 1), layers});
  }
  net.blocks.push_back({"pool", global_average_pool()});
  net.features = in;
  return net;
}

}  // namespace infoscissors::nn
