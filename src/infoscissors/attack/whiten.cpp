#include "infoscissors/attack/whiten.h"

namespace infoscissors::attack {
namespace {

// Spread over the largest one below which a direction is rounding of float32 (2^-23 = 1.2e-7).
constexpr double kResolvedSpread = 1e-6;

}  // namespace

Whitener::Whitener(const torch::Tensor& sample) {
  const torch::NoGradGuard no_grad;
  const auto plain = sample.to(torch::kFloat64);
  const auto mean = plain.mean(0);
  const auto centred = plain - mean;
  const auto [variances, directions] = torch::linalg_eigh(centred.t().matmul(centred) / plain.size(0));
  const auto spread = variances.clamp_min(0).sqrt();
  const auto resolved = spread.gt(spread.max() * kResolvedSpread).nonzero().flatten();
  mean_ = mean.to(torch::kFloat32);
  map_ = (directions.index_select(1, resolved) / spread.index_select(0, resolved)).to(torch::kFloat32);
}

torch::Tensor Whitener::apply(const torch::Tensor& vectors) const {
  return (vectors - mean_).matmul(map_);
}

}  // namespace infoscissors::attack
