#pragma once

#include "infoscissors/tensor/torch.h"

/// Similarity of images with values in [0, 1]; a, b: (B, C, H, W) float. Each returns one value an image, (B).
namespace infoscissors::metric {

/// Structural similarity (Wang et al. 2004): Gaussian window 11x11, sigma 1.5, K1 = .01, K2 = .03, data range 1, mean
/// over the channels and the positions where the window fits. Equals scikit-image's structural_similarity(
/// gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=1). Throws Error for images below 11x11.
torch::Tensor ssim(const torch::Tensor& a, const torch::Tensor& b);

/// Mean squared error.
torch::Tensor mse(const torch::Tensor& a, const torch::Tensor& b);

/// Peak signal-to-noise ratio in dB with peak 1. Identical images give infinity.
torch::Tensor psnr(const torch::Tensor& a, const torch::Tensor& b);

}  // namespace infoscissors::metric
