#include "infoscissors/stats/permutation.h"

#include "infoscissors/base/error.h"
#include "infoscissors/base/random.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>
#include <vector>

namespace infoscissors::stats {
namespace {

constexpr std::size_t kExactPairs = 16;

double mean_with_signs(const std::vector<double>& differences, const std::function<bool(std::size_t)>& negative) {
  double sum = 0;
  for (std::size_t i = 0; i < differences.size(); ++i) sum += negative(i) ? -differences[i] : differences[i];
  return sum / static_cast<double>(differences.size());
}

void check(std::span<const double> a, std::span<const double> b) {
  if (a.empty() || a.size() != b.size())
    throw base::Error("[stats/permutation] needs pairs, got {} and {} values", a.size(), b.size());
  const auto finite = [](double value) { return std::isfinite(value); };
  if (!std::all_of(a.begin(), a.end(), finite) || !std::all_of(b.begin(), b.end(), finite))
    throw base::Error("[stats/permutation] every value must be finite");
}

}  // namespace

PairedTest paired_test(std::span<const double> a, std::span<const double> b, std::uint64_t seed,
                       std::int64_t exchanges) {
  check(a, b);
  std::vector<double> differences(a.size());
  double scale = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    differences[i] = a[i] - b[i];
    scale = std::max(scale, std::abs(differences[i]));
  }
  PairedTest test;
  test.difference = mean_with_signs(differences, [](auto) { return false; });
  // Exchanges that only reorder the sum must count as equal.
  const double wanted = std::abs(test.difference) - 1e-12 * scale;
  const auto as_large = [&](const auto& negative) {
    return std::abs(mean_with_signs(differences, negative)) >= wanted;
  };
  test.smallest_p = std::ldexp(2.0, -static_cast<int>(std::min<std::size_t>(a.size(), 60)));
  std::int64_t hits = 0;
  if (a.size() <= kExactPairs) {
    test.exchanges = std::int64_t{1} << a.size();
    for (std::int64_t bits = 0; bits < test.exchanges; ++bits) hits += as_large([&](auto i) { return bits >> i & 1; });
  } else {
    test.exact = false;
    test.exchanges = exchanges + 1;
    test.smallest_p = std::max(test.smallest_p, 1.0 / static_cast<double>(test.exchanges));
    hits = 1;
    std::mt19937_64 random(base::derive_seed(seed, "permutation"));
    std::vector<bool> negative(a.size());
    for (std::int64_t i = 0; i < exchanges; ++i) {
      for (std::size_t j = 0; j < negative.size(); ++j) negative[j] = (random() >> 63U) != 0;
      hits += as_large([&](auto j) { return static_cast<bool>(negative[j]); });
    }
  }
  test.p = static_cast<double>(hits) / static_cast<double>(test.exchanges);
  return test;
}

}  // namespace infoscissors::stats
