#include "infoscissors/tune/halving.h"

#include <gtest/gtest.h>

namespace infoscissors::tune {
namespace {

using Triples = std::vector<std::vector<std::int64_t>>;

Triples triples(const std::vector<Rung>& rungs) {
  Triples list;
  for (const auto& rung : rungs) list.push_back({rung.epochs, rung.enter, rung.keep});
  return list;
}

TEST(Halving, EachRungTrainsLongerAndFewer) {
  EXPECT_EQ(triples(plan_rungs(16, 40, 3, 2)), (Triples{{10, 16, 8}, {20, 8, 4}, {40, 4, 1}}));
  EXPECT_EQ(triples(plan_rungs(9, 27, 3, 3)), (Triples{{3, 9, 3}, {9, 3, 1}, {27, 1, 1}}));
  EXPECT_EQ(triples(plan_rungs(5, 5, 3, 2)), (Triples{{2, 5, 3}, {3, 3, 2}, {5, 2, 1}}));
}

TEST(Halving, RungsThatWouldBeTheSameAreLeftOut) {
  EXPECT_EQ(triples(plan_rungs(4, 1, 3, 2)), (Triples{{1, 4, 1}}));
  EXPECT_EQ(triples(plan_rungs(4, 2, 5, 2)), (Triples{{1, 4, 2}, {2, 2, 1}}));
  EXPECT_EQ(triples(plan_rungs(4, 40, 1, 2)), (Triples{{40, 4, 1}}));
}

}  // namespace
}  // namespace infoscissors::tune
