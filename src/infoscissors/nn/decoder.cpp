#include "infoscissors/nn/decoder.h"

#include "infoscissors/base/error.h"
#include "infoscissors/base/options.h"
#include "infoscissors/nn/backbone.h"
#include "infoscissors/nn/norm.h"

#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>

namespace infoscissors::nn {
namespace {

constexpr std::int64_t kResidualBlocks = 3;

LayerPtr conv3x3(std::int64_t in, std::int64_t out) {
  return wrap(torch::nn::Conv2d(torch::nn::Conv2dOptions(in, out, 3).padding(1)));
}

/// A vector as a map of `shape`.
class Unflatten : public Layer {
 public:
  Unflatten(std::int64_t inputs, Shape shape)
      : shape_(std::move(shape)),
        linear_(register_module("linear", torch::nn::Linear(inputs, element_count(shape_)))) {}
  torch::Tensor forward(const torch::Tensor& x) override {
    auto sizes = shape_;
    sizes.insert(sizes.begin(), x.size(0));
    return linear_->forward(x.flatten(1)).view(sizes);
  }

 private:
  Shape shape_;
  torch::nn::Linear linear_;
};

/// Nearest-neighbour enlargement to a fixed size.
class Resize : public Layer {
 public:
  Resize(std::int64_t height, std::int64_t width) : size_{height, width} {}
  torch::Tensor forward(const torch::Tensor& x) override { return torch::upsample_nearest2d(x, size_); }

 private:
  std::vector<std::int64_t> size_;
};

class ResidualBlock : public Layer {
 public:
  explicit ResidualBlock(std::int64_t channels)
      : first_(register_module("first", conv_norm_relu(channels, channels, 3, 1))),
        second_(register_module("second", conv_norm_relu(channels, channels, 3, 1, false))) {}
  torch::Tensor forward(const torch::Tensor& x) override { return second_->forward_onto(first_->forward(x), x); }

 private:
  std::shared_ptr<ConvNorm> first_, second_;
};

bool spatial(const Shape& shape) {
  return shape.size() == 3;
}

LayerPtr linear_decoder(const Shape& input, const Shape& image) {
  if (!spatial(input)) return std::make_shared<Unflatten>(element_count(input), image);
  const std::int64_t factor = image[1] / input[1];
  if (input[1] == image[1] && input[2] == image[2]) return conv3x3(input[0], image[0]);
  if (factor > 0 && input[1] * factor == image[1] && input[2] * factor == image[2]) {
    return wrap(
        torch::nn::ConvTranspose2d(torch::nn::ConvTranspose2dOptions(input[0], image[0], factor).stride(factor)));
  }
  return std::make_shared<Unflatten>(element_count(input), image);
}

// Brings any input to `width` channels at the image's size: vectors start from a quarter of it, smaller maps are
// doubled step by step with a convolution after each step.
void append_lift(Sequence& layers, const Shape& input, const Shape& image, std::int64_t width) {
  Shape at = input;
  if (!spatial(input)) {
    at = {width, std::max<std::int64_t>(1, image[1] / 4), std::max<std::int64_t>(1, image[2] / 4)};
    layers.append("unflatten", std::make_shared<Unflatten>(element_count(input), at));
  }
  layers.append("lift0", conv3x3(at[0], width));
  layers.append("relu0", relu());
  for (std::int64_t step = 1; at[1] != image[1] || at[2] != image[2]; ++step) {
    const auto next = [](std::int64_t size, std::int64_t target) { return size * 2 < target ? size * 2 : target; };
    at = {width, next(at[1], image[1]), next(at[2], image[2])};
    layers.append("resize" + std::to_string(step), std::make_shared<Resize>(at[1], at[2]));
    layers.append("lift" + std::to_string(step), conv3x3(width, width));
    layers.append("relu" + std::to_string(step), relu());
  }
}

void append_conv(Sequence& layers, const Shape& input, const Shape& image, std::int64_t width) {
  append_lift(layers, input, image, width);
  layers.append("middle", conv3x3(width, width));
  layers.append("relu", relu());
  layers.append("image", conv3x3(width, image[0]));
}

void append_res(Sequence& layers, const Shape& input, const Shape& image, std::int64_t width) {
  append_lift(layers, input, image, width);
  for (std::int64_t i = 1; i <= kResidualBlocks; ++i) {
    layers.append("block" + std::to_string(i), std::make_shared<ResidualBlock>(width));
  }
  layers.append("image", conv3x3(width, image[0]));
}

}  // namespace

std::vector<std::string> decoder_families() {
  return {"linear", "conv", "res"};
}

LayerPtr make_decoder(const std::string& family, const Shape& input, const Shape& image, std::int64_t width) {
  if (!spatial(image))
    throw base::UsageError("decoders make images (C, H, W), not tensors of shape {}", to_string(image));
  auto layers = std::make_shared<Sequence>();
  if (family == "linear") {
    layers->append("linear", linear_decoder(input, image));
  } else if (family == "conv") {
    append_conv(*layers, input, image, width);
  } else if (family == "res") {
    append_res(*layers, input, image, width);
  } else {
    throw base::UsageError("there is no decoder '{}': {}", family, base::suggestion(family, decoder_families()));
  }
  layers->append("sigmoid", sigmoid());
  return layers;
}

LayerPtr make_standardiser(const Shape& input) {
  return batch_norm(input.front(), spatial(input), /*affine=*/false);
}

LayerPtr make_mlp(std::int64_t inputs, std::int64_t hidden, std::int64_t outputs, std::int64_t layers) {
  auto net = std::make_shared<Sequence>();
  net->append("flatten", flatten());
  for (std::int64_t i = 1; i <= layers; ++i) {
    const std::int64_t in = i == 1 ? inputs : hidden;
    net->append("linear" + std::to_string(i), wrap(torch::nn::Linear(in, i == layers ? outputs : hidden)));
    if (i < layers) net->append("relu" + std::to_string(i), relu());
  }
  return net;
}

}  // namespace infoscissors::nn
