#include "infoscissors/stats/interval.h"

#include "infoscissors/base/error.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace infoscissors::stats {
namespace {

using base::Error;

// P(|T| <= t) for a whole number of degrees of freedom: the finite series 26.7.3 and 26.7.4 of Abramowitz and Stegun.
// Whole degrees are all a mean over seeds needs, so no incomplete beta function (and no library for it) is.
double central_probability(double t, std::int64_t degrees) {
  const double angle = std::atan(t / std::sqrt(static_cast<double>(degrees)));
  const double cosine_squared = std::pow(std::cos(angle), 2);
  const bool odd = degrees % 2 == 1;
  double term = odd ? std::cos(angle) : 1.0;
  double sum = 0;
  for (std::int64_t k = odd ? 1 : 0; k <= degrees - 2; k += 2) {
    sum += term;
    term *= cosine_squared * static_cast<double>(k + 1) / static_cast<double>(k + 2);
  }
  const double product = std::sin(angle) * sum;
  return odd ? 2 / std::numbers::pi * (angle + product) : product;
}

}  // namespace

double student_t_quantile(double probability, std::int64_t degrees) {
  if (!(probability > 0 && probability < 1))
    throw Error("[stats/interval] a probability must be in (0, 1), got {:g}", probability);
  if (degrees < 1) throw Error("[stats/interval] degrees of freedom must be >= 1, got {}", degrees);
  if (probability < 0.5) return -student_t_quantile(1 - probability, degrees);
  const double wanted = 2 * probability - 1;
  double low = 0;
  double high = 1;
  while (central_probability(high, degrees) < wanted && high < 1e15) high *= 2;
  for (int i = 0; i < 200 && high - low > 1e-14 * high; ++i) {
    const double middle = low + (high - low) / 2;
    (central_probability(middle, degrees) < wanted ? low : high) = middle;
  }
  return low + (high - low) / 2;
}

Interval mean_interval(std::span<const double> values, double confidence) {
  if (values.empty()) throw Error("[stats/interval] there are no values to take the mean of");
  if (!(confidence > 0 && confidence < 1))
    throw Error("[stats/interval] confidence must be in (0, 1), got {:g}", confidence);
  if (!std::all_of(values.begin(), values.end(), [](double value) { return std::isfinite(value); })) {
    throw Error("[stats/interval] every value must be finite");
  }
  const auto n = static_cast<double>(values.size());
  double mean = 0;
  for (const double value : values) mean += value / n;
  if (values.size() == 1) {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    return {.mean = mean, .low = -kInfinity, .high = kInfinity};
  }
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  const double error = std::sqrt(squares / (n - 1) / n);
  const double half = student_t_quantile((1 + confidence) / 2, static_cast<std::int64_t>(values.size()) - 1) * error;
  return {.mean = mean, .low = mean - half, .high = mean + half};
}

}  // namespace infoscissors::stats
