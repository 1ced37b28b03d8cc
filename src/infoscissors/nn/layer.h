#pragma once

#include "infoscissors/tensor/torch.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace infoscissors::nn {

/// Sizes of one sample, without the batch dimension: {C, H, W} for images, {D} for vectors.
using Shape = std::vector<std::int64_t>;

std::string to_string(const Shape& shape);  // "3x32x32"
std::int64_t element_count(const Shape& shape);

/// A module that maps one tensor to one tensor and keeps the batch dimension.
class Layer : public torch::nn::Module {
 public:
  virtual torch::Tensor forward(const torch::Tensor& input) = 0;
};

using LayerPtr = std::shared_ptr<Layer>;

/// Layers one after the other; an empty one is the identity.
class Sequence : public Layer {
 public:
  Sequence() = default;
  void append(const std::string& name, LayerPtr layer);
  torch::Tensor forward(const torch::Tensor& input) override;
  std::size_t size() const { return layers_.size(); }

 private:
  std::vector<LayerPtr> layers_;
};

/// Any callable module of libtorch (convolution, batch norm, linear) as a Layer. The parameter is not called Module: in
/// here that names the base class torch::nn::Module.
template <class Holder>
class Wrap : public Layer {
 public:
  explicit Wrap(Holder module) : module_(register_module("module", std::move(module))) {}
  torch::Tensor forward(const torch::Tensor& input) override { return module_->forward(input); }
  Holder module() { return module_; }

 private:
  Holder module_;
};

/// A parameterless function as a Layer.
class Function : public Layer {
 public:
  using Map = torch::Tensor (*)(const torch::Tensor&);
  explicit Function(Map map) : map_(map) {}
  torch::Tensor forward(const torch::Tensor& input) override { return map_(input); }

 private:
  Map map_;
};

template <class Holder>
LayerPtr wrap(Holder module) {
  return std::make_shared<Wrap<Holder>>(std::move(module));
}
LayerPtr relu();
LayerPtr sigmoid();
LayerPtr flatten();

/// The shape that `layer` gives for one sample of shape `input`; runs it once on zeros in evaluation mode.
Shape output_shape(Layer& layer, const Shape& input);

}  // namespace infoscissors::nn
