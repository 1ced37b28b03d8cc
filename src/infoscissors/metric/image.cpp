#include "infoscissors/metric/image.h"

#include "infoscissors/base/error.h"

#include <cmath>

namespace infoscissors::metric {
namespace {

using base::Error;

constexpr std::int64_t kWindow = 11;
constexpr double kSigma = 1.5;
constexpr double kC1 = 0.01 * 0.01;  // (K1 * data range)^2
constexpr double kC2 = 0.03 * 0.03;

std::string shape_text(const torch::Tensor& tensor) {
  return fmt::format("({})", fmt::join(tensor.sizes().vec(), ", "));
}

void check(const char* name, const torch::Tensor& a, const torch::Tensor& b) {
  if (!a.defined() || !b.defined()) throw Error("[metric/{}] an image tensor is missing", name);
  if (a.dim() != 4 || a.numel() == 0) {
    throw Error("[metric/{}] images must have the shape (B, C, H, W) with at least one pixel, got {}", name,
                shape_text(a));
  }
  if (a.sizes() != b.sizes()) {
    throw Error("[metric/{}] the two image tensors must have one shape, got {} and {}", name, shape_text(a),
                shape_text(b));
  }
  if (!a.is_floating_point() || !b.is_floating_point()) {
    throw Error("[metric/{}] images must be floating point in [0, 1], got {} and {}", name,
                c10::toString(a.scalar_type()), c10::toString(b.scalar_type()));
  }
}

// Sums in double: the variances below are differences of nearly equal numbers, which float would lose.
torch::Tensor prepared(const torch::Tensor& images) {
  return images.detach().to(torch::kFloat64).contiguous();
}

// (size - 10, size): row i holds the window's weights at columns i .. i + 10, so that a product with it takes the
// weighted mean at every place where the window fits.
torch::Tensor window_matrix(std::int64_t size, const torch::Device& device) {
  const auto options = torch::dtype(torch::kFloat64).device(device);
  const auto offset =
      torch::arange(size, options).unsqueeze(0) - torch::arange(size - kWindow + 1, options).unsqueeze(1);
  const auto inside = offset.ge(0).logical_and(offset.lt(kWindow));
  const auto weights = torch::exp((offset - (kWindow - 1) / 2).square() / (-2 * kSigma * kSigma)) * inside;
  return weights / weights.sum(1, true);
}

// The Gaussian window is an outer product, so a matrix product a side replaces a convolution of 121 taps.
struct LocalMean {
  torch::Tensor rows, columns;
  torch::Tensor operator()(const torch::Tensor& planes) const {
    return torch::matmul(torch::matmul(rows, planes), columns.t());
  }
};

}  // namespace

torch::Tensor ssim(const torch::Tensor& a, const torch::Tensor& b) {
  torch::NoGradGuard no_grad;
  check("ssim", a, b);
  if (a.size(2) < kWindow || a.size(3) < kWindow) {
    throw Error("[metric/ssim] images must be at least {0}x{0}, the size of the window, got {1}x{2}", kWindow,
                a.size(2), a.size(3));
  }
  const LocalMean local_mean{window_matrix(a.size(2), a.device()), window_matrix(a.size(3), a.device())};
  const auto x = prepared(a).flatten(0, 1);
  const auto y = prepared(b).flatten(0, 1);
  const auto mean_x = local_mean(x);
  const auto mean_y = local_mean(y);
  const auto variance_x = local_mean(x * x) - mean_x * mean_x;
  const auto variance_y = local_mean(y * y) - mean_y * mean_y;
  const auto covariance = local_mean(x * y) - mean_x * mean_y;
  const auto luminance = (2 * mean_x * mean_y + kC1) / (mean_x * mean_x + mean_y * mean_y + kC1);
  const auto structure = (2 * covariance + kC2) / (variance_x + variance_y + kC2);
  return (luminance * structure).view({a.size(0), -1}).mean(1).to(torch::kFloat32);
}

torch::Tensor mse(const torch::Tensor& a, const torch::Tensor& b) {
  torch::NoGradGuard no_grad;
  check("mse", a, b);
  return (prepared(a) - prepared(b)).square().flatten(1).mean(1).to(torch::kFloat32);
}

torch::Tensor psnr(const torch::Tensor& a, const torch::Tensor& b) {
  torch::NoGradGuard no_grad;
  check("psnr", a, b);
  return (-10 * (prepared(a) - prepared(b)).square().flatten(1).mean(1).log10()).to(torch::kFloat32);
}

}  // namespace infoscissors::metric
