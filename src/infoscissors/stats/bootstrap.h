#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace infoscissors::stats {

constexpr int kResamples = 2000;

/// A range by bootstrap percentiles: what the statistic does over resamples of the seeds.
struct Range {
  double low = 0, high = 0;
};

/// How resamples are drawn. The seed belongs into whatever is published from them.
struct Bootstrap {
  int resamples = kResamples;
  double confidence = 0.95;
  std::uint64_t seed = 0;
};

/// Indices drawn with replacement from [0, count), `count` of them; deterministic in seed, count and `draw`.
std::vector<std::size_t> resample(std::size_t count, std::uint64_t seed, std::uint64_t draw);

/// The value at `probability` in [0, 1] of the sample, between neighbours interpolated linearly. NaN are left out; NaN
/// where nothing is left.
double percentile(std::vector<double> values, double probability);

/// The percentile interval of the mean over `values`, one a seed. With n values there are only n^n resamples, so with
/// three seeds it is hardly more than their range and covers less often than it says; Student's interval
/// (mean_interval) does not, but cannot bound a curve. Throws Error for no values or values that are not finite.
Range mean_range(std::span<const double> values, const Bootstrap& bootstrap);

/// The percentile interval of any statistic of repetitions: it gets the drawn indices. Resamples on which it is NaN
/// are left out; NaN where it always is.
Range statistic_range(std::size_t count, const std::function<double(const std::vector<std::size_t>&)>& statistic,
                      const Bootstrap& bootstrap);

}  // namespace infoscissors::stats
