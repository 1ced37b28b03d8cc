#include "infoscissors/mi/critic.h"

#include "infoscissors/base/error.h"
#include "infoscissors/base/random.h"
#include "infoscissors/tensor/device.h"

#include <cmath>

namespace infoscissors::mi {

FitReport Critic::fit(const Pairs& pairs, const FitOptions& options, std::uint64_t seed,
                      const std::function<torch::Tensor(const Factors&)>& loss,
                      const std::function<double(const Factors&)>& objective) {
  const Split parts = split_pairs(pairs, kValidationShare, base::derive_seed(seed, "mi/validation"));
  coordinates_ = fit_coordinates(parts.fit, parts.held_out, options.transform);
  auto generator = tensor::make_generator(torch::kCPU, seed, "mi/critic");
  const auto u = coordinates_.u(parts.fit.x);
  const auto v = coordinates_.v(parts.fit.y);
  const auto count = std::min(parts.held_out.size(), kPiece);
  const auto validation_u = coordinates_.u(parts.held_out.x).narrow(0, 0, count);
  const auto validation_v = coordinates_.v(parts.held_out.y).narrow(0, 0, count);
  const auto device = u.device();
  // Only one side of the product starts at zero: with both, neither would ever get a gradient.
  product_x_ = Perceptron(u.size(1), kWidth, /*zero=*/false, options, generator, device);
  product_y_ = Perceptron(v.size(1), kWidth, /*zero=*/true, options, generator, device);
  bias_x_ = Perceptron(u.size(1), 1, /*zero=*/true, options, generator, device);
  bias_y_ = Perceptron(v.size(1), 1, /*zero=*/true, options, generator, device);
  std::vector<torch::Tensor> parameters;
  for (const auto* network : {&product_x_, &product_y_, &bias_x_, &bias_y_}) {
    parameters.insert(parameters.end(), network->parameters().begin(), network->parameters().end());
  }
  report_ = fit_parameters(
      parameters, u.size(0),
      [&](const torch::Tensor& batch) { return loss(score(u.index_select(0, batch), v.index_select(0, batch))); },
      [&] { return objective(score(validation_u, validation_v)); }, options, generator);
  return report_;
}

Factors Critic::score(const torch::Tensor& u, const torch::Tensor& v) const {
  Factors factors = gaussian_factors(u, v, coordinates_.correlations);
  factors.left = torch::cat({factors.left, product_x_(u) / std::sqrt(static_cast<double>(kWidth))}, 1);
  factors.right = torch::cat({factors.right, product_y_(v)}, 1);
  factors.left_bias = factors.left_bias + bias_x_(u).squeeze(1);
  factors.right_bias = factors.right_bias + bias_y_(v).squeeze(1);
  return factors;
}

Factors Critic::factors(const Pairs& pairs) const {
  return score(coordinates_.u(pairs.x), coordinates_.v(pairs.y));
}

base::Json Critic::details() const {
  return {{"epochs", report_.epochs},
          {"best_epoch", report_.best},
          {"validation_bound", report_.objective},
          {"transform", coordinates_.scores ? "scores" : "standard"},
          {"canonical_coordinates", coordinates_.canonical}};
}

Estimator::FitState CriticEstimator::do_fit(const Pairs& pairs, std::uint64_t seed) {
  const FitReport report = critic_.fit(
      pairs, options_, seed, [this](const Factors& batch) { return loss(batch); },
      [this](const Factors& validation) { return piece(validation).value; });
  return {report.converged, critic_.details()};
}

Terms CriticEstimator::terms(const Pairs& held_out) const {
  const Factors factors = critic_.factors(held_out);
  const auto pieces = piece_count(held_out.size());
  Terms all;
  std::vector<torch::Tensor> influence;
  for (std::int64_t i = 0; i < pieces; ++i) {
    const auto begin = held_out.size() * i / pieces;
    const auto end = held_out.size() * (i + 1) / pieces;
    const Terms part = piece(factors.slice(begin, end));
    all.value += part.value * static_cast<double>(end - begin) / static_cast<double>(held_out.size());
    all.ceiling = std::min(all.ceiling, part.ceiling);
    all.unreliable = all.unreliable || part.unreliable;
    influence.push_back(part.influence);
  }
  all.influence = torch::cat(influence);
  all.details["negatives"] = held_out.size() / pieces - 1;
  return all;
}

ExponentialMean exponential_mean(const LogSums& sums) {
  const auto rows = sums.rows.to(torch::kFloat64);
  const auto columns = sums.columns.to(torch::kFloat64);
  const auto n = static_cast<double>(rows.size(0));
  const auto total = rows.logsumexp(0);
  const auto row_share = (rows - total).exp();
  const auto column_share = (columns - total).exp();
  const double largest = std::max(row_share.max().item<double>(), column_share.max().item<double>());
  return {total.item<double>() - std::log(n * (n - 1)), n * (row_share + column_share) - 1, largest > 0.1};
}

}  // namespace infoscissors::mi
