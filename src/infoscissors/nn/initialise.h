#pragma once

#include "infoscissors/tensor/torch.h"

namespace infoscissors::nn {

/// Draws every weight of `module` from `generator`: convolutions normal with variance 2 / fan-out (He et al. 2015, for
/// ReLU), linear maps uniform within 1 / sqrt(fan-in), biases of convolutions zero; batch norm starts as the identity.
void initialise(torch::nn::Module& module, torch::Generator generator);

/// Copies parameters and buffers by name. Throws Error where names or shapes differ.
void copy_state(const torch::nn::Module& from, torch::nn::Module& to);

/// Parameters and buffers by name.
std::map<std::string, torch::Tensor> state_of(const torch::nn::Module& module);

/// Assigns them. Throws Error naming the first one that is missing, unknown or of another shape.
void load_state(torch::nn::Module& module, const std::map<std::string, torch::Tensor>& state);

}  // namespace infoscissors::nn
