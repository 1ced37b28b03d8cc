#include "infoscissors/attack/standardize.h"

#include "infoscissors/base/error.h"

#include <vector>

namespace infoscissors::attack {
namespace {

// Spread over level below which a channel is constant up to the rounding of float32 (2^-23 = 1.2e-7).
constexpr double kRelativeSpread = 1e-6;

std::vector<std::int64_t> all_but_channel(const torch::Tensor& tensor) {
  std::vector<std::int64_t> dimensions = {0};
  for (std::int64_t d = 2; d < tensor.dim(); ++d) dimensions.push_back(d);
  return dimensions;
}

// (C) as (1, C, 1, ...), to go with `tensor`.
torch::Tensor beside(const torch::Tensor& statistics, const torch::Tensor& tensor) {
  std::vector<std::int64_t> sizes(static_cast<std::size_t>(tensor.dim()), 1);
  sizes[1] = statistics.size(0);
  return statistics.view(sizes);
}

}  // namespace

Standardizer::Standardizer(const torch::Tensor& sample) {
  const torch::NoGradGuard no_grad;
  if (sample.dim() < 2 || sample.numel() == 0) {
    throw base::Error("[attack] there is nothing to take statistics of: the sample's shape is ({})",
                      fmt::join(sample.sizes().vec(), ", "));
  }
  const auto dimensions = all_but_channel(sample);
  const auto count = static_cast<double>(sample.numel() / sample.size(1));
  const auto mean = sample.sum(dimensions, false, torch::kFloat64) / count;
  auto squares = torch::zeros_like(mean);
  // Two passes in slices: the one-pass formula cancels, and a copy of everything in double would double memory twice.
  for (const auto& part : sample.split(256)) {
    squares += (part.to(torch::kFloat64) - beside(mean, sample)).square().sum(dimensions);
  }
  const auto std = (squares / count).sqrt();
  if (!std.isfinite().all().item<bool>()) {
    throw base::Error("[attack] the representations or features hold values that are not finite");
  }
  const auto live = std.gt(mean.abs() * kRelativeSpread).logical_and(std.gt(0));
  mean_ = mean.to(torch::kFloat32);
  scale_ = torch::where(live, std.reciprocal(), torch::zeros_like(std)).to(torch::kFloat32);
  index_ = live.nonzero().flatten();
}

torch::Tensor Standardizer::live_only(const torch::Tensor& tensor) const {
  const auto index = index_.to(tensor.device());
  const auto pick = [&](const torch::Tensor& t) {
    return beside(t.to(tensor.device()).index_select(0, index), tensor);
  };
  const auto kept = dead() == 0 ? tensor : tensor.index_select(1, index);
  return (kept - pick(mean_)) * pick(scale_);
}

torch::Tensor Standardizer::all(const torch::Tensor& tensor) const {
  return (tensor - beside(mean_.to(tensor.device()), tensor)) * beside(scale_.to(tensor.device()), tensor);
}

}  // namespace infoscissors::attack
