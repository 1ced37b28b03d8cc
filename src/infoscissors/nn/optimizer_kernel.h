#pragma once

#include "infoscissors/tensor/torch.h"

/// An optimiser's step in one pass over memory, on processors; a step is bound by nothing else. All tensors: (n)
/// float32, contiguous.
namespace infoscissors::nn::kernel {

/// momentum = factor * momentum + gradient + decay * value; value -= rate * momentum.
void sgd(const torch::Tensor& values, const torch::Tensor& gradients, const torch::Tensor& momenta, double factor,
         double decay, double rate);

struct AdamStep {
  double beta1, beta2, epsilon, decay;
  double correction1, correction2;  // 1 - beta^t
  double rate;
};
/// Adam (Kingma and Ba 2015, algorithm 1) with weight decay added to the gradient.
void adam(const torch::Tensor& values, const torch::Tensor& gradients, const torch::Tensor& first,
          const torch::Tensor& second, const AdamStep& step);

}  // namespace infoscissors::nn::kernel
