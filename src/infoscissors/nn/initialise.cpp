#include "infoscissors/nn/initialise.h"

#include "infoscissors/base/error.h"

#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>

#include <cmath>

namespace infoscissors::nn {
namespace {

void initialise_convolution(torch::Tensor& weight, torch::Tensor& bias, torch::Generator& generator) {
  const double fan_out = static_cast<double>(weight.size(0)) * static_cast<double>(weight[0][0].numel());
  weight.normal_(0, std::sqrt(2.0 / fan_out), generator);
  if (bias.defined()) bias.zero_();
}

void initialise_linear(torch::Tensor& weight, torch::Tensor& bias, torch::Generator& generator) {
  const double bound = 1.0 / std::sqrt(static_cast<double>(weight.size(1)));
  weight.uniform_(-bound, bound, generator);
  if (bias.defined()) bias.uniform_(-bound, bound, generator);
}

}  // namespace

void initialise(torch::nn::Module& root, torch::Generator generator) {
  const torch::NoGradGuard no_grad;
  for (const auto& module : root.modules()) {
    if (auto* conv = module->as<torch::nn::Conv2dImpl>()) {
      initialise_convolution(conv->weight, conv->bias, generator);
    } else if (auto* transposed = module->as<torch::nn::ConvTranspose2dImpl>()) {
      initialise_convolution(transposed->weight, transposed->bias, generator);
    } else if (auto* linear = module->as<torch::nn::LinearImpl>()) {
      initialise_linear(linear->weight, linear->bias, generator);
    } else if (auto* norm = module->as<torch::nn::BatchNorm2dImpl>()) {
      norm->reset_parameters();
    } else if (auto* vector_norm = module->as<torch::nn::BatchNorm1dImpl>()) {
      vector_norm->reset_parameters();
    }
  }
}

std::map<std::string, torch::Tensor> state_of(const torch::nn::Module& module) {
  std::map<std::string, torch::Tensor> state;
  for (const auto& item : module.named_parameters()) state[item.key()] = item.value();
  for (const auto& item : module.named_buffers()) state[item.key()] = item.value();
  return state;
}

void load_state(torch::nn::Module& module, const std::map<std::string, torch::Tensor>& state) {
  const torch::NoGradGuard no_grad;
  auto own = state_of(module);
  for (const auto& [name, tensor] : state) {
    const auto target = own.find(name);
    if (target == own.end()) throw base::Error("the stored state has a tensor '{}' that this network lacks", name);
    if (target->second.sizes() != tensor.sizes()) {
      throw base::Error("the stored tensor '{}' has shape {}, this network wants {}", name,
                        fmt::join(tensor.sizes().vec(), "x"), fmt::join(target->second.sizes().vec(), "x"));
    }
  }
  for (auto& [name, target] : own) {
    const auto source = state.find(name);
    if (source == state.end()) throw base::Error("the stored state lacks the tensor '{}'", name);
    target.copy_(source->second);
  }
}

void copy_state(const torch::nn::Module& from, torch::nn::Module& to) {
  load_state(to, state_of(from));
}

}  // namespace infoscissors::nn
