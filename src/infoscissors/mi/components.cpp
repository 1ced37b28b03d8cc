#include "infoscissors/mi/components.h"

#include "infoscissors/base/error.h"

#include <algorithm>

namespace infoscissors::mi {
namespace {

constexpr double kRounding = 1e-10;  // relative to the largest; below it is rounding

}  // namespace

torch::Tensor Components::operator()(const torch::Tensor& table) const {
  const auto flat = table.flatten(1).to(torch::kFloat32);
  if (flat.size(1) != columns) throw base::Error("[mi] {} columns instead of {}", flat.size(1), columns);
  return directions.defined() ? (flat - mean).matmul(directions) : flat;
}

Components fit_components(const torch::Tensor& rows, std::int64_t count) {
  if (count < 1) throw base::UsageError("[mi] the number of components must be >= 1, got {}", count);
  torch::NoGradGuard no_grad;
  const auto table = rows.flatten(1).to(torch::kFloat64);
  Components result;
  result.columns = table.size(1);
  if (result.columns <= count) return result;
  const auto mean = table.mean(0);
  const auto centred = table - mean;
  // The smaller of the two Gram matrices has all eigenvalues that are not zero.
  const bool wide = centred.size(1) > centred.size(0);
  const auto gram = wide ? centred.matmul(centred.t()) : centred.t().matmul(centred);
  const auto [ascending, vectors] = torch::linalg_eigh(gram, "L");
  const auto values = ascending.flip(0).clamp_min(0);
  const auto rank = values.gt(kRounding * values[0]).sum().item<std::int64_t>();
  const auto kept = std::max<std::int64_t>(1, std::min(count, rank));
  auto directions = vectors.flip(1).narrow(1, 0, kept);
  // X'u of a unit eigenvector u of XX' has length sqrt(lambda).
  if (wide) directions = centred.t().matmul(directions) * values.narrow(0, 0, kept).clamp_min(1e-300).rsqrt();
  result.mean = mean.to(torch::kFloat32);
  result.directions = directions.to(torch::kFloat32).contiguous();
  result.explained = rank == 0 ? 1.0 : (values.narrow(0, 0, kept).sum() / values.sum()).item<double>();
  return result;
}

}  // namespace infoscissors::mi
