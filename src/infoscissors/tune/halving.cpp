#include "infoscissors/tune/halving.h"

#include <algorithm>

namespace infoscissors::tune {
namespace {

std::int64_t divide_up(std::int64_t a, std::int64_t b) {
  return a / b + (a % b != 0 ? 1 : 0);
}

}  // namespace

std::vector<Rung> plan_rungs(std::int64_t count, std::int64_t epochs, std::int64_t rungs, std::int64_t eta) {
  std::vector<std::int64_t> lengths = {epochs};
  while (static_cast<std::int64_t>(lengths.size()) < rungs && divide_up(lengths.back(), eta) < lengths.back()) {
    lengths.push_back(divide_up(lengths.back(), eta));
  }
  std::reverse(lengths.begin(), lengths.end());
  std::vector<Rung> plan;
  for (const auto length : lengths) {
    const auto enter = plan.empty() ? count : plan.back().keep;
    plan.push_back({.epochs = length, .enter = enter, .keep = divide_up(enter, eta)});
  }
  plan.back().keep = 1;
  return plan;
}

}  // namespace infoscissors::tune
