#include "infoscissors/mi/residual.h"

#include "infoscissors/base/error.h"
#include "infoscissors/mi/components.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace infoscissors::mi {
namespace {

constexpr double kSmallestVariance = 1e-12;  // keeps the entropy of a perfect reconstruction finite

torch::Tensor table(const torch::Tensor& tensor) {
  return tensor.flatten(1).to(torch::kFloat64);
}

torch::Tensor covariance(const torch::Tensor& rows) {
  const auto centred = rows - rows.mean(0);
  return centred.t().matmul(centred) / static_cast<double>(rows.size(0) - 1) +
         kSmallestVariance * torch::eye(rows.size(1), rows.options());
}

double gaussian_entropy(const torch::Tensor& sigma) {
  const auto m = static_cast<double>(sigma.size(0));
  return 0.5 * (m * std::log(2 * std::numbers::pi * std::numbers::e) + torch::logdet(sigma).item<double>());
}

double mean_of(const torch::Tensor& values) {
  return values.mean().item<double>();
}

double standard_error(const torch::Tensor& values) {
  return std::sqrt(values.var(/*unbiased=*/true).item<double>() / static_cast<double>(values.size(0)));
}

double half_gap(double held_out, double trained) {
  return std::max(0.0, 0.5 * (held_out - trained));
}

}  // namespace

Directions residual_directions(const Reconstructed& pairs) {
  torch::NoGradGuard no_grad;
  const auto residual = table(pairs.x) - table(pairs.g);
  const auto elements = residual.size(1);
  const auto most = std::clamp<std::int64_t>(residual.size(0) / 4, 1, elements);
  const auto components = fit_components(residual, most);
  // Where all columns may stay they still have to be turned into the principal ones.
  const auto matrix = components.directions.defined() ? components.directions.to(torch::kFloat64)
                                                      : std::get<1>(torch::linalg_eigh(covariance(residual), "L"));
  const auto projected = residual.matmul(matrix);
  const auto variances = projected.var(0, /*unbiased=*/true).clamp_min(kSmallestVariance);
  const auto [sorted, order] = variances.sort(0, /*descending=*/true);
  const auto count = torch::arange(1, sorted.size(0) + 1, sorted.options());
  const auto floors = count.log() + sorted.log().cumsum(0) / count;
  const auto kept = floors.argmax().item<std::int64_t>() + 1;
  return {matrix.index_select(1, order.slice(0, 0, std::min(kept, most))).to(torch::kFloat32),
          mean_of(sorted.slice(0, 0, std::min(kept, most)))};
}

ResidualFigures measure_residual(const Directions& directions, const Reconstructed& trained,
                                 const Reconstructed& held_out) {
  torch::NoGradGuard no_grad;
  if (held_out.x.size(0) <= directions.count()) {
    throw base::Error("[mi] {} pairs are too few for {} directions", held_out.x.size(0), directions.count());
  }
  const auto matrix = directions.matrix.to(torch::kFloat64);
  const auto along = [&](const torch::Tensor& tensor) { return table(tensor).matmul(matrix); };
  const auto x = along(held_out.x);
  const auto g = along(held_out.g);
  const auto residual = x - g;
  const auto trained_residual = along(trained.x) - along(trained.g);
  const double precision = 1 / directions.variance;
  ResidualFigures figures;
  // Mean over all pairs (i, j) of -|x_j - g_i|^2 / (2 s^2) from moments, with the Hajek projection of each pair.
  const auto positive = -0.5 * precision * residual.square().sum(1);
  const auto x_square = x.square().sum(1);
  const auto g_square = g.square().sum(1);
  const auto rows = -0.5 * precision * (x_square.mean() - 2 * g.matmul(x.mean(0)) + g_square);
  const auto columns = -0.5 * precision * (x_square - 2 * x.matmul(g.mean(0)) + g_square.mean());
  const auto influence = positive - rows - columns + rows.mean();
  figures.information = mean_of(influence);
  figures.information_error = standard_error(influence);
  figures.information_missing =
      half_gap(-mean_of(positive), 0.5 * precision * mean_of(trained_residual.square().sum(1)));
  figures.entropy = gaussian_entropy(covariance(x));
  const auto sigma = covariance(residual);
  figures.conditional_entropy = gaussian_entropy(sigma);
  // -ln of the Gaussian density of each residual, up to a constant.
  const auto inverse = torch::linalg_inv(sigma);
  const auto distance = [&](const torch::Tensor& rows_of) {
    const auto centred = rows_of - residual.mean(0);
    return 0.5 * (centred.matmul(inverse) * centred).sum(1);
  };
  figures.conditional_error = standard_error(distance(residual));
  figures.conditional_missing = half_gap(mean_of(distance(residual)), mean_of(distance(trained_residual)));
  return figures;
}

}  // namespace infoscissors::mi
