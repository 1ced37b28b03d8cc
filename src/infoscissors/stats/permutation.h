#pragma once

#include <cstdint>
#include <span>

namespace infoscissors::stats {

/// A paired two-sided permutation test of "the two differ only by chance".
struct PairedTest {
  double difference = 0;  // mean of a - b
  double p = 1;           // share of exchanges with at least as large an absolute mean difference
  double smallest_p = 1;  // what p would be at best: with n pairs 2 / 2^n, so three seeds can show nothing
  std::int64_t exchanges = 0;
  bool exact = true;  // every exchange was looked at
};

/// Exchanges within pairs: all 2^n for n <= 16, else `exchanges` random ones and the observed one (so p > 0). Valid
/// where under the hypothesis a pair's two values may be swapped. Throws Error for lists that are empty, of different
/// length, or hold values that are not finite.
PairedTest paired_test(std::span<const double> a, std::span<const double> b, std::uint64_t seed = 0,
                       std::int64_t exchanges = 20000);

}  // namespace infoscissors::stats
