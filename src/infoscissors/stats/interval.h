#pragma once

#include <cstdint>
#include <span>

namespace infoscissors::stats {

/// A mean over repetitions and the confidence interval around it.
struct Interval {
  double mean = 0;
  double low = 0;   // mean - half width
  double high = 0;  // mean + half width
  double half_width() const { return (high - low) / 2; }
};

/// The mean of `values` (one a seed) with Student's t interval, mean +- t s / sqrt(n) with n - 1 degrees of freedom. It
/// covers the true mean with probability `confidence` where the values are independent draws from one normal
/// distribution. One value says nothing of the spread: its interval is unbounded (-inf, inf). Throws Error for no
/// values, values that are not finite, or a confidence outside (0, 1).
Interval mean_interval(std::span<const double> values, double confidence = 0.95);

/// The quantile of Student's t distribution at `probability` in (0, 1) with `degrees` >= 1 degrees of freedom.
double student_t_quantile(double probability, std::int64_t degrees);

}  // namespace infoscissors::stats
