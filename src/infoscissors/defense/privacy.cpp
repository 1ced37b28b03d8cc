#include "infoscissors/defense/privacy.h"

#include <cmath>
#include <numbers>

namespace infoscissors::defense {
namespace {

constexpr int kHalvings = 200;  // more than doubles resolve

/// ln Phi(z), also where Phi underflows (the expansion's first dropped term is 105 / z^8 of the result).
double log_normal_cdf(double z) {
  if (z > -30) return std::log(0.5 * std::erfc(-z / std::numbers::sqrt2));
  const double square = z * z;
  return -0.5 * square - std::log(-z * std::sqrt(2 * std::numbers::pi)) +
         std::log1p(-1 / square + 3 / (square * square) - 15 / (square * square * square));
}

/// The point above which a falling function is at most `target`; starts from [0, 1] and doubles.
template <class Function>
double where_falls_to(double target, const Function& function) {
  double low = 0, high = 1;
  while (function(high) > target) {
    low = high;
    high *= 2;
  }
  for (int i = 0; i < kHalvings; ++i) {
    const double middle = 0.5 * (low + high);
    (function(middle) > target ? low : high) = middle;
  }
  return high;
}

}  // namespace

double laplace_scale(double epsilon, double sensitivity) {
  return sensitivity / epsilon;
}

double gaussian_delta(double epsilon, double deviation, double sensitivity) {
  const double half = 0.5 * sensitivity / deviation;
  const double shift = epsilon * deviation / sensitivity;
  return std::exp(log_normal_cdf(half - shift)) - std::exp(epsilon + log_normal_cdf(-half - shift));
}

double gaussian_deviation(double epsilon, double delta, double sensitivity) {
  // In units of the sensitivity, on which the ratio alone depends.
  return sensitivity *
         where_falls_to(delta, [&](double ratio) { return ratio > 0 ? gaussian_delta(epsilon, ratio, 1.0) : 1.0; });
}

double gaussian_epsilon(double deviation, double delta, double sensitivity) {
  if (gaussian_delta(0, deviation, sensitivity) <= delta) return 0;
  return where_falls_to(delta, [&](double epsilon) { return gaussian_delta(epsilon, deviation, sensitivity); });
}

Guarantee compose_laplace(double epsilon, double delta, std::int64_t queries) {
  const auto q = static_cast<double>(queries);
  const double advanced = std::sqrt(2 * q * std::log(1 / delta)) * epsilon + q * epsilon * std::expm1(epsilon);
  return q * epsilon <= advanced ? Guarantee{q * epsilon, 0} : Guarantee{advanced, delta};
}

Guarantee compose_gaussian(double deviation, double delta, double sensitivity, std::int64_t queries) {
  return {gaussian_epsilon(deviation, delta, std::sqrt(static_cast<double>(queries)) * sensitivity), delta};
}

}  // namespace infoscissors::defense
