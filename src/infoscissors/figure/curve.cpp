#include "infoscissors/figure/curve.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace infoscissors::figure {
namespace {

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

Spread spread_of(const std::vector<double>& values, Spreads kind, const stats::Bootstrap& bootstrap) {
  if (values.size() < 2) return {};
  if (kind == Spreads::range) {
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    return {*low, *high};
  }
  const auto range = stats::mean_range(values, bootstrap);
  return {range.low, range.high};
}

}  // namespace

Paired paired(const study::BySeed& x, const study::BySeed& y) {
  Paired pairs;
  for (const auto& [seed, value] : x) {
    const auto other = y.find(seed);
    if (other == y.end() || !std::isfinite(value) || !std::isfinite(other->second)) continue;
    pairs.x.push_back(value);
    pairs.y.push_back(other->second);
  }
  return pairs;
}

bool add_point(Series& series, const study::BySeed& x, const study::BySeed& y, Spreads kind,
               const stats::Bootstrap& bootstrap) {
  const auto pairs = paired(x, y);
  if (pairs.x.empty()) return false;
  series.points.push_back(
      {mean(pairs.x), mean(pairs.y), spread_of(pairs.x, kind, bootstrap), spread_of(pairs.y, kind, bootstrap)});
  return true;
}

const study::Attack* worst(const study::Group& group, const std::vector<const study::Attack*>& attacks) {
  const study::Attack* best = nullptr;
  double most = -INFINITY;
  for (const auto* attack : attacks) {
    const double leaked = study::leakage(group, *attack).mean;
    if (!(leaked > most)) continue;
    most = leaked;
    best = attack;
  }
  return best;
}

std::string place_title(const study::Summary& summary, const study::Place& place) {
  bool dataset = false, network = false, cut = false;
  for (const auto& other : summary.places()) {
    dataset = dataset || other.dataset != place.dataset;
    network = network || other.backbone != place.backbone || other.width != place.width;
    cut = cut || other.cut != place.cut;
  }
  std::string title = dataset ? place.dataset : "";
  if (network) {
    const std::string width = place.width == 1 ? "" : fmt::format(" x {:g}", place.width);
    title = joined(title, place.backbone + width);
  }
  return cut ? joined(title, place.cut) : title;
}

std::string joined(const std::string& a, const std::string& b) {
  return a.empty() || b.empty() ? a + b : a + ", " + b;
}

std::string bootstrap_text(const stats::Bootstrap& bootstrap) {
  return fmt::format(
      "Points are means over the seeds, boxes and the bands between them {:g} % bootstrap percentiles of the mean ({} "
      "resamples, seed {}); with few seeds these are hardly wider than the seeds' range.",
      100 * bootstrap.confidence, bootstrap.resamples, bootstrap.seed);
}

study::BySeed in_percent(study::BySeed values) {
  for (auto& [seed, value] : values) value *= 100;
  return values;
}

}  // namespace infoscissors::figure
