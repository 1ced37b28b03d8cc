#include "infoscissors/stats/pareto.h"

#include "infoscissors/base/error.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace infoscissors::stats {
namespace {

using Repetitions = std::vector<std::vector<Tradeoff>>;

std::vector<Tradeoff> means(const Repetitions& repetitions, const std::vector<std::size_t>& drawn) {
  std::vector<Tradeoff> points(repetitions.front().size());
  for (std::size_t i = 0; i < points.size(); ++i) {
    double utility = 0, leakage = 0, count = 0;
    for (const auto seed : drawn) {
      const auto& point = repetitions[seed][i];
      if (!std::isfinite(point.utility) || !std::isfinite(point.leakage)) continue;
      utility += point.utility;
      leakage += point.leakage;
      ++count;
    }
    points[i] = {utility / count, leakage / count};  // NaN where no seed has the point
  }
  return points;
}

}  // namespace

std::vector<std::size_t> pareto_front(std::span<const Tradeoff> points) {
  std::vector<std::size_t> order(points.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::erase_if(order, [&](auto i) { return !std::isfinite(points[i].utility) || !std::isfinite(points[i].leakage); });
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) {
    if (points[a].leakage != points[b].leakage) return points[a].leakage < points[b].leakage;
    return points[a].utility > points[b].utility;
  });
  double best = -std::numeric_limits<double>::infinity();
  std::erase_if(order, [&](auto i) {
    if (points[i].utility <= best) return true;
    best = points[i].utility;
    return false;
  });
  return order;
}

double hypervolume(std::span<const Tradeoff> points, const Tradeoff& reference) {
  if (!(reference.utility < 1 && reference.leakage > 0))
    throw base::Error("[stats/pareto] the reference needs utility < 1 and leakage > 0, got ({:g}, {:g})",
                      reference.utility, reference.leakage);
  double area = 0;
  double covered = reference.utility;  // the utility up to which the strip on the right is dominated
  for (const auto i : pareto_front(points)) {
    const double utility = std::min(points[i].utility, 1.0);
    const double width = reference.leakage - std::max(points[i].leakage, 0.0);
    if (width <= 0 || utility <= covered) continue;
    area += width * (utility - covered);
    covered = utility;
  }
  return area / (reference.leakage * (1 - reference.utility));
}

Hypervolume mean_hypervolume(const Repetitions& repetitions, const Tradeoff& reference, const Bootstrap& bootstrap) {
  if (repetitions.empty()) throw base::Error("[stats/pareto] there are no repetitions");
  for (const auto& points : repetitions) {
    if (points.size() != repetitions.front().size())
      throw base::Error("[stats/pareto] repetitions must have the same settings, got {} and {}",
                        repetitions.front().size(), points.size());
  }
  std::vector<std::size_t> all(repetitions.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  const auto statistic = [&](const std::vector<std::size_t>& drawn) {
    return hypervolume(means(repetitions, drawn), reference);
  };
  return {statistic(all), statistic_range(repetitions.size(), statistic, bootstrap)};
}

}  // namespace infoscissors::stats
