#include "infoscissors/attack/kmeans.h"

#include "infoscissors/base/error.h"

#include <limits>
#include <tuple>
#include <vector>

namespace infoscissors::attack {
namespace {

constexpr std::int64_t kPointsAtOnce = 4096;

struct Nearest {
  torch::Tensor distance;  // (N) squared
  torch::Tensor index;     // (N) int64
};

Nearest nearest(const torch::Tensor& points, const torch::Tensor& centres) {
  std::vector<torch::Tensor> distances, indices;
  for (const auto& part : points.split(kPointsAtOnce)) {
    const auto [distance, index] = torch::cdist(part, centres).min(1);
    distances.push_back(distance.square());
    indices.push_back(index);
  }
  return {torch::cat(distances), torch::cat(indices)};
}

// Each next centre is a point drawn in proportion to its squared distance from the centres so far.
torch::Tensor first_centres(const torch::Tensor& points, std::int64_t clusters, torch::Generator& generator) {
  std::vector<torch::Tensor> centres = {
      points.index_select(0, torch::randint(points.size(0), {1}, generator, torch::kInt64).to(points.device()))};
  auto distance = nearest(points, centres.front()).distance;
  while (static_cast<std::int64_t>(centres.size()) < clusters) {
    auto weights = distance.to(torch::kCPU, torch::kFloat64);
    if (weights.sum().item<double>() <= 0) weights = torch::ones_like(weights);  // fewer different points than clusters
    const auto index = torch::multinomial(weights, 1, false, generator).to(points.device());
    centres.push_back(points.index_select(0, index));
    distance = torch::minimum(distance, nearest(points, centres.back()).distance);
  }
  return torch::cat(centres);
}

torch::Tensor means(const torch::Tensor& points, const Nearest& at, std::int64_t clusters) {
  const auto sums = torch::zeros({clusters, points.size(1)}, points.options()).index_add(0, at.index, points);
  const auto counts = torch::bincount(at.index, {}, clusters);
  auto centres = sums / counts.clamp_min(1).unsqueeze(1);
  const auto empty = counts.eq(0).nonzero().flatten();
  if (empty.size(0) == 0) return centres;
  const auto worst = std::get<1>(at.distance.topk(empty.size(0)));
  return centres.index_copy(0, empty, points.index_select(0, worst));
}

}  // namespace

Clusters k_means(const torch::Tensor& points, std::int64_t clusters, std::int64_t steps, std::int64_t starts,
                 torch::Generator generator) {
  const torch::NoGradGuard no_grad;
  if (points.size(0) < clusters)
    throw base::Error("[attack] {} points cannot form {} clusters", points.size(0), clusters);
  Clusters best;
  best.inertia = std::numeric_limits<double>::infinity();
  for (std::int64_t start = 0; start < starts; ++start) {
    auto centres = first_centres(points, clusters, generator);
    auto at = nearest(points, centres);
    for (std::int64_t step = 0; step < steps; ++step) {
      centres = means(points, at, clusters);
      const auto moved = nearest(points, centres);
      const bool settled = torch::equal(moved.index, at.index);
      at = moved;
      if (settled) break;
    }
    const auto inertia = at.distance.sum(torch::kFloat64).item<double>();
    if (inertia < best.inertia) best = {centres, at.index, inertia};
  }
  return best;
}

}  // namespace infoscissors::attack
