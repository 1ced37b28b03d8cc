#include "infoscissors/nn/layer.h"

#include <fmt/format.h>

#include <functional>
#include <numeric>

namespace infoscissors::nn {

std::string to_string(const Shape& shape) {
  return fmt::format("{}", fmt::join(shape, "x"));
}

std::int64_t element_count(const Shape& shape) {
  return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
}

void Sequence::append(const std::string& name, LayerPtr layer) {
  layers_.push_back(register_module(name, std::move(layer)));
}

torch::Tensor Sequence::forward(const torch::Tensor& input) {
  torch::Tensor x = input;
  for (const auto& layer : layers_) x = layer->forward(x);
  return x;
}

LayerPtr relu() {
  return std::make_shared<Function>([](const torch::Tensor& x) { return torch::relu(x); });
}

LayerPtr sigmoid() {
  return std::make_shared<Function>([](const torch::Tensor& x) { return torch::sigmoid(x); });
}

LayerPtr flatten() {
  return std::make_shared<Function>([](const torch::Tensor& x) { return x.flatten(1); });
}

Shape output_shape(Layer& layer, const Shape& input) {
  const torch::NoGradGuard no_grad;
  const bool training = layer.is_training();
  layer.eval();
  auto sizes = input;
  sizes.insert(sizes.begin(), 1);
  const auto parameters = layer.parameters();
  const auto options = parameters.empty() ? torch::TensorOptions() : torch::TensorOptions(parameters.front().device());
  const auto output = layer.forward(torch::zeros(sizes, options));
  layer.train(training);
  return output.sizes().slice(1).vec();
}

}  // namespace infoscissors::nn
