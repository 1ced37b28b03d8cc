#include "infoscissors/mi/coordinates.h"

#include "infoscissors/base/error.h"
#include "infoscissors/mi/factors.h"

#include <algorithm>
#include <cmath>

namespace infoscissors::mi {
namespace {

constexpr std::int64_t kKnots = 512;
constexpr std::int64_t kOuterKnots = 16;      // one knot in so many, from an end, sets the slope beyond it
constexpr double kSmallestEigenvalue = 1e-6;  // of a correlation matrix, relative to the largest
constexpr std::int64_t kComparisonPairs = 1000;

double slope(const torch::Tensor& at, const torch::Tensor& score, std::int64_t from, std::int64_t to) {
  if (from == to) return 0;  // a single value
  return ((score[to] - score[from]) / (at[to] - at[from])).item<double>();
}

struct Linear {
  torch::Tensor mean, map;  // (D), (D, p)
};

// Whitening where the pairs allow it, else each varying column on its own.
Linear whiten(const torch::Tensor& table, bool full, const char* name) {
  const auto mean = table.mean(0);
  const auto centred = (table - mean).to(torch::kFloat64);
  const auto variance = centred.square().mean(0);
  const auto keep = (variance > kSmallestEigenvalue).nonzero().flatten();
  if (keep.size(0) == 0) {
    throw base::Error("[mi] {} hardly varies among the {} pairs that are fitted to; more pairs are needed", name,
                      table.size(0));
  }
  const auto scale = variance.index_select(0, keep).rsqrt();
  auto map = torch::zeros({table.size(1), keep.size(0)}, centred.options());
  map.index_put_({keep, torch::arange(keep.size(0), keep.options())}, scale);
  if (!full) return {mean, map.to(torch::kFloat32)};
  const auto unit = centred.matmul(map);
  const auto [values, vectors] = torch::linalg_eigh(unit.t().matmul(unit) / static_cast<double>(table.size(0)), "L");
  const auto directions = (values > kSmallestEigenvalue * values.max()).nonzero().flatten();
  const auto rotation = vectors.index_select(1, directions) * values.index_select(0, directions).rsqrt();
  return {mean, map.matmul(rotation).to(torch::kFloat32)};
}

bool enough_pairs(const torch::Tensor& table) {
  return table.size(1) <= Coordinates::kLargest && table.size(0) >= 2 * table.size(1);
}

void rotate_to_canonical(Coordinates& c, const Pairs& train) {
  const auto u = c.u(train.x).to(torch::kFloat64);
  const auto v = c.v(train.y).to(torch::kFloat64);
  const auto cross = u.t().matmul(v) / static_cast<double>(train.size());
  const auto [left, singular, right] = torch::linalg_svd(cross, /*full_matrices=*/true);
  c.x_map = c.x_map.matmul(left.to(torch::kFloat32));
  c.y_map = c.y_map.matmul(right.t().to(torch::kFloat32));
  c.canonical = true;
}

double gaussian_bound(const Coordinates& c, const Pairs& validation) {
  const Pairs some =
      validation.select(torch::arange(std::min(kComparisonPairs, validation.size()), validation.x.device()));
  const Factors factors = gaussian_factors(c.u(some.x), c.v(some.y), c.correlations);
  return infonce_terms(factors).mean().item<double>();
}

// Labels are not Gaussian: with strong dependence the curvature of the log-density ratio then throws true pairs far
// out. Only critics use the correlations of labels, and any critic gives a valid bound, so the best of several will do.
torch::Tensor shrunk_for_labels(Coordinates c, const Pairs& validation) {
  const auto whole = c.correlations;
  auto best = whole;
  double bound = gaussian_bound(c, validation);
  for (const double scale : {0.9, 0.8, 0.6, 0.4, 0.2}) {
    c.correlations = whole * scale;
    if (const double other = gaussian_bound(c, validation); other > bound) {
      bound = other;
      best = c.correlations;
    }
  }
  return best;
}

Coordinates build(const Pairs& train, const Pairs& validation, bool scores) {
  Coordinates c;
  c.scores = scores;
  if (scores) {
    c.x_scores = NormalScores(train.x);
    if (!train.labelled()) c.y_scores = NormalScores(train.y);
  }
  const bool full = enough_pairs(train.x) && enough_pairs(train.y);
  const auto x = whiten(c.x_scores(train.x), full, "x");
  const auto y = whiten(c.y_scores(train.y), full, "y");
  c.x_mean = x.mean;
  c.x_map = x.map;
  c.y_mean = y.mean;
  c.y_map = y.map;
  const auto shared = std::min(x.map.size(1), y.map.size(1));
  c.correlations = torch::zeros({shared}, train.x.options());
  if (!full) return c;
  rotate_to_canonical(c, train);
  // The singular values are the correlations of the pairs the directions were chosen on and too large; other pairs say
  // what the directions are worth.
  const auto u = c.u(validation.x).narrow(1, 0, shared);
  const auto v = c.v(validation.y).narrow(1, 0, shared);
  const auto norm = (u.square().mean(0) * v.square().mean(0)).sqrt().clamp_min(1e-12);
  c.correlations = ((u * v).mean(0) / norm).clamp(0.0, std::sqrt(kLargestSquaredCorrelation));
  if (train.labelled()) c.correlations = shrunk_for_labels(c, validation);
  return c;
}

}  // namespace

NormalScores::NormalScores(const torch::Tensor& table) {
  const auto sorted = std::get<0>(table.t().contiguous().sort(1));
  const auto count = static_cast<double>(table.size(0));
  for (std::int64_t d = 0; d < table.size(1); ++d) {
    const auto [values, inverse, counts] =
        torch::unique_consecutive(sorted[d], /*return_inverse=*/false, /*return_counts=*/true);
    const auto weight = counts.to(torch::kFloat64);
    const auto rank = (weight.cumsum(0) - 0.5 * weight) / count;  // of the middle of each tie
    const auto score = torch::special_erfinv(2 * rank - 1) * std::sqrt(2.0);
    auto pick = torch::arange(values.size(0), counts.options());
    if (values.size(0) > kKnots) {
      pick =
          torch::linspace(0, static_cast<double>(values.size(0) - 1), kKnots, counts.options().dtype(torch::kFloat64))
              .round()
              .to(torch::kInt64);
    }
    const auto at = values.index_select(0, pick);
    const auto scores = score.index_select(0, pick).to(torch::kFloat32);
    const auto last = at.size(0) - 1;
    const auto outer = std::min(last, std::max<std::int64_t>(1, at.size(0) / kOuterKnots));
    columns_.push_back({at, scores, slope(at, scores, 0, outer), slope(at, scores, last - outer, last)});
  }
}

torch::Tensor NormalScores::operator()(const torch::Tensor& table) const {
  if (columns_.empty()) return table;
  std::vector<torch::Tensor> mapped;
  for (std::size_t d = 0; d < columns_.size(); ++d) {
    const auto& knots = columns_[d];
    const auto& at = knots.at;
    const auto& score = knots.score;
    const auto column = table.select(1, static_cast<std::int64_t>(d)).contiguous();
    if (at.size(0) < 2) {
      mapped.push_back(torch::zeros_like(column));
      continue;
    }
    const auto above = torch::searchsorted(at, column).clamp(1, at.size(0) - 1);
    const auto below = above - 1;
    const auto begin = at.index_select(0, below);
    const auto share = ((column - begin) / (at.index_select(0, above) - begin)).clamp(0, 1);
    const auto inside = torch::lerp(score.index_select(0, below), score.index_select(0, above), share);
    mapped.push_back(inside + knots.below * (column - at[0]).clamp_max(0) +
                     knots.above * (column - at[at.size(0) - 1]).clamp_min(0));
  }
  return torch::stack(mapped, 1);
}

torch::Tensor Coordinates::u(const torch::Tensor& x) const {
  return (x_scores(x) - x_mean).matmul(x_map);
}

torch::Tensor Coordinates::v(const torch::Tensor& y) const {
  return (y_scores(y) - y_mean).matmul(y_map);
}

Coordinates fit_coordinates(const Pairs& train, const Pairs& validation, const std::string& transform) {
  torch::NoGradGuard no_grad;
  if (transform != "auto") return build(train, validation, transform == "scores");
  Coordinates plain = build(train, validation, false);
  Coordinates scored = build(train, validation, true);
  return gaussian_bound(scored, validation) > gaussian_bound(plain, validation) ? scored : plain;
}

}  // namespace infoscissors::mi
