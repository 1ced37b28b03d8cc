#pragma once

#include "infoscissors/tensor/torch.h"

namespace infoscissors::nn {

/// Parameters and running statistics of a batch norm, (C) each; weight and bias may be undefined.
struct NormState {
  torch::Tensor weight, bias, running_mean, running_var;
  double momentum = 0.1, eps = 1e-5;
};

/// Whether fused_norm() takes these: on a processor, (N, C, H, W) in channels-last layout, float32 or bfloat16, x and
/// residual (which may be undefined) alike.
bool can_fuse(const torch::Tensor& x, const torch::Tensor& residual);

/// What batch norm in training mode, an addition and a ReLU give together, with half the passes over memory: a training
/// step that is not a convolution is bound by memory. The running statistics are updated as libtorch does. In bfloat16
/// it rounds once instead of three times.
torch::Tensor fused_norm(const torch::Tensor& x, const NormState& state, const torch::Tensor& residual, bool rectified);

}  // namespace infoscissors::nn
