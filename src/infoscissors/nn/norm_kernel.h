#pragma once

#include "infoscissors/tensor/torch.h"

/// The passes over memory that a batch norm with what surrounds it takes in training, on processors. Tensors x, y,
/// residual and gradients: (N, C, H, W) in channels-last layout, all float32 or all bfloat16; statistics: (C) float32.
/// Sums are taken in float32 over short stretches and in float64 over those, so the result depends on the number of
/// threads only in rounding.
namespace infoscissors::nn::kernel {

/// Mean and biased variance of each channel, shifted by values near the mean so that nothing cancels.
struct Moments {
  torch::Tensor mean, variance;
};
Moments moments(const torch::Tensor& x);

/// y = scale * (x - mean) + shift + residual, and max(., 0) of it where `rectified`. `residual` may be undefined.
torch::Tensor apply(const torch::Tensor& x, const torch::Tensor& mean, const torch::Tensor& scale,
                    const torch::Tensor& shift, const torch::Tensor& residual, bool rectified);

/// The gradient g in front of the rectifier (dy where y > 0; dy itself where y is undefined), and per channel the sums
/// of g and of g * (x - mean). `keep`: g is wanted as a tensor; otherwise it is undefined.
struct GradientSums {
  torch::Tensor plain, centred, gradient;
};
GradientSums gradient_sums(const torch::Tensor& dy, const torch::Tensor& y, const torch::Tensor& x,
                           const torch::Tensor& mean, bool keep);

/// dx = a * g + b * (x - mean) + c with a, b, c: (C); g is found from dy and y as above.
torch::Tensor gradient(const torch::Tensor& dy, const torch::Tensor& y, const torch::Tensor& x,
                       const torch::Tensor& mean, const torch::Tensor& a, const torch::Tensor& b,
                       const torch::Tensor& c);

}  // namespace infoscissors::nn::kernel
