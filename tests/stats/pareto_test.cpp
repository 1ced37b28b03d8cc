#include "infoscissors/stats/pareto.h"

#include "infoscissors/base/error.h"

#include <gtest/gtest.h>

#include <cmath>

namespace infoscissors::stats {
namespace {

using Indices = std::vector<std::size_t>;

TEST(ParetoFront, KeepsWhatNothingBeats) {
  const std::vector<Tradeoff> points{{0.9, 0.9}, {0.8, 0.95}, {0.8, 0.3}, {0.7, 0.3}, {0.5, 0.1}, {0.5, 0.1}};
  EXPECT_EQ(pareto_front(points), (Indices{4, 2, 0}));
}

TEST(ParetoFront, PassesOverWhatWasNotMeasured) {
  EXPECT_EQ(pareto_front(std::vector<Tradeoff>{{NAN, 0.1}, {0.5, NAN}, {0.4, 0.4}}), Indices{2});
  EXPECT_TRUE(pareto_front({}).empty());
}

// Areas by hand: the rectangle is 1 by 1.
TEST(Hypervolume, IsTheDominatedShareOfTheRectangle) {
  const Tradeoff reference{0, 1};
  EXPECT_DOUBLE_EQ(hypervolume(std::vector<Tradeoff>{{0.5, 0.5}}, reference), 0.25);
  EXPECT_DOUBLE_EQ(hypervolume(std::vector<Tradeoff>{{0.5, 0.5}, {0.8, 0.75}}, reference), 0.25 + 0.3 * 0.25);
  EXPECT_DOUBLE_EQ(hypervolume(std::vector<Tradeoff>{{1, 0}}, reference), 1.0);
  EXPECT_DOUBLE_EQ(hypervolume(std::vector<Tradeoff>{{1.2, -0.1}}, reference), 1.0);
  EXPECT_DOUBLE_EQ(hypervolume({}, reference), 0.0);
}

TEST(Hypervolume, CountsNothingBeyondTheReference) {
  const Tradeoff reference{0.5, 0.8};
  EXPECT_DOUBLE_EQ(hypervolume(std::vector<Tradeoff>{{0.9, 0.85}, {0.4, 0.1}}, reference), 0.0);
  EXPECT_DOUBLE_EQ(hypervolume(std::vector<Tradeoff>{{0.75, 0.4}}, reference), 0.25);
}

TEST(Hypervolume, RefusesAReferenceWithoutArea) {
  EXPECT_THROW(hypervolume({}, {1, 1}), base::Error);
  EXPECT_THROW(hypervolume({}, {0, 0}), base::Error);
  EXPECT_THROW(hypervolume({}, {NAN, 1}), base::Error);
}

TEST(MeanHypervolume, AveragesSettingsFirst) {
  const std::vector<std::vector<Tradeoff>> seeds{{{0.4, 0.4}}, {{0.6, 0.6}}, {{NAN, 0.3}}};
  const auto result = mean_hypervolume(seeds, {0, 1}, {});
  EXPECT_DOUBLE_EQ(result.value, 0.25);
  EXPECT_LE(result.range.low, 0.24 + 1e-12);  // a resample of one seed alone has 0.6 * 0.4
  EXPECT_GE(result.range.high, 0.25);
}

TEST(MeanHypervolume, OfOneSeedHasNoWidth) {
  const auto result = mean_hypervolume({{{0.5, 0.5}}}, {0, 1}, {});
  EXPECT_DOUBLE_EQ(result.range.low, 0.25);
  EXPECT_DOUBLE_EQ(result.range.high, 0.25);
}

TEST(MeanHypervolume, RefusesDifferentSettings) {
  EXPECT_THROW(mean_hypervolume({}, {0, 1}, {}), base::Error);
  EXPECT_THROW(mean_hypervolume({{{0.5, 0.5}}, {}}, {0, 1}, {}), base::Error);
}

}  // namespace
}  // namespace infoscissors::stats
