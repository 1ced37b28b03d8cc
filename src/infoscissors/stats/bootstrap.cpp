#include "infoscissors/stats/bootstrap.h"

#include "infoscissors/base/error.h"
#include "infoscissors/base/random.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace infoscissors::stats {
namespace {

void check(const Bootstrap& bootstrap) {
  if (!(bootstrap.confidence > 0 && bootstrap.confidence < 1))
    throw base::Error("[stats/bootstrap] confidence must be in (0, 1), got {:g}", bootstrap.confidence);
  if (bootstrap.resamples < 1)
    throw base::Error("[stats/bootstrap] resamples must be >= 1, got {}", bootstrap.resamples);
}

Range percentiles(std::vector<double> values, double confidence) {
  const double tail = (1 - confidence) / 2;
  return {percentile(values, tail), percentile(values, 1 - tail)};
}

}  // namespace

// Every index from a hash of its own: small draws are many, and setting up a generator for each would take longer than
// drawing. The remainder's bias of count / 2^64 does not matter.
std::vector<std::size_t> resample(std::size_t count, std::uint64_t seed, std::uint64_t draw) {
  std::vector<std::size_t> indices(count);
  for (std::size_t i = 0; i < count; ++i) indices[i] = base::derive_seed(seed, "bootstrap", draw * count + i) % count;
  return indices;
}

double percentile(std::vector<double> values, double probability) {
  std::erase_if(values, [](double value) { return std::isnan(value); });
  if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
  std::sort(values.begin(), values.end());
  const double place = std::clamp(probability, 0.0, 1.0) * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const auto above = std::min(below + 1, values.size() - 1);
  return values[below] + (place - static_cast<double>(below)) * (values[above] - values[below]);
}

Range statistic_range(std::size_t count, const std::function<double(const std::vector<std::size_t>&)>& statistic,
                      const Bootstrap& bootstrap) {
  check(bootstrap);
  if (count == 0) throw base::Error("[stats/bootstrap] there is nothing to resample");
  std::vector<double> values;
  values.reserve(static_cast<std::size_t>(bootstrap.resamples));
  for (int draw = 0; draw < bootstrap.resamples; ++draw) {
    values.push_back(statistic(resample(count, bootstrap.seed, static_cast<std::uint64_t>(draw))));
  }
  return percentiles(std::move(values), bootstrap.confidence);
}

Range mean_range(std::span<const double> values, const Bootstrap& bootstrap) {
  if (!std::all_of(values.begin(), values.end(), [](double value) { return std::isfinite(value); }))
    throw base::Error("[stats/bootstrap] every value must be finite");
  return statistic_range(
      values.size(),
      [&](const std::vector<std::size_t>& drawn) {
        double sum = 0;
        for (const auto index : drawn) sum += values[index];
        return sum / static_cast<double>(drawn.size());
      },
      bootstrap);
}

}  // namespace infoscissors::stats
