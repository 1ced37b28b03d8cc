#pragma once

#include "infoscissors/nn/layer.h"

#include <cstdint>
#include <functional>

namespace infoscissors::nn {

/// Batch norm over channels: of images (N, C, H, W), or of vectors (N, D). `affine`: with a scale and a shift that are
/// learnt.
LayerPtr batch_norm(std::int64_t channels, bool spatial = true, bool affine = true);

/// relu(norm(x) + residual), without the addition where `residual` is undefined and without the ReLU where not
/// `rectified`; `norm` is one of batch_norm's. On processors a training step takes the three in one go.
torch::Tensor norm_join(Layer& norm, const torch::Tensor& x, const torch::Tensor& residual, bool rectified);

/// Gives every process' tensor along a new first dimension, in the same order everywhere. All processes call it the
/// same number of times with tensors of one shape.
using Exchange = std::function<torch::Tensor(const torch::Tensor&)>;

/// From now on the batch norms among `root` and its parts normalise, while training, by mean and variance of the batch
/// that the processes hold together, of which each may have a different share or none; running statistics and gradients
/// are those of that batch. An empty function ends it.
void synchronise_norms(torch::nn::Module& root, const Exchange& exchange);

}  // namespace infoscissors::nn
