#include "infoscissors/stats/interval.h"

#include "infoscissors/base/error.h"
#include "infoscissors/base/json.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <limits>
#include <random>
#include <vector>

namespace infoscissors::stats {
namespace {

base::Json golden() {
  return base::read_json(std::filesystem::path(INFOSCISSORS_TEST_DATA) / "golden.json");
}

TEST(StudentT, QuantilesEqualScipy) {
  const auto quantiles = golden().at("quantiles");
  ASSERT_GT(quantiles.size(), 50U);
  for (const auto& row : quantiles) {
    const double expected = row["value"].get<double>();
    const double actual = student_t_quantile(row["probability"].get<double>(), row["degrees"].get<std::int64_t>());
    EXPECT_NEAR(actual, expected, 1e-10 * std::max(1.0, std::abs(expected))) << row.dump();
  }
}

TEST(MeanInterval, EqualsScipy) {
  const auto intervals = golden().at("intervals");
  ASSERT_EQ(intervals.size(), 8U);
  for (const auto& row : intervals) {
    const auto interval = mean_interval(row["values"].get<std::vector<double>>(), row["confidence"].get<double>());
    EXPECT_NEAR(interval.mean, row["mean"].get<double>(), 1e-12);
    EXPECT_NEAR(interval.half_width(), row["half_width"].get<double>(), 1e-9 * std::max(1.0, interval.half_width()));
  }
}

// 2000 intervals of three normal draws; the share that holds the true mean has a standard deviation of 0.5 %. It does
// not show that a study's figures are normal.
TEST(MeanInterval, CoversTheTrueMeanAsOftenAsItSays) {
  std::mt19937 random(7);
  std::normal_distribution<double> normal(2.0, 0.3);
  int covered = 0;
  for (int i = 0; i < 2000; ++i) {
    const std::vector<double> values{normal(random), normal(random), normal(random)};
    const auto interval = mean_interval(values);
    covered += interval.low <= 2.0 && 2.0 <= interval.high ? 1 : 0;
  }
  EXPECT_NEAR(covered / 2000.0, 0.95, 0.02);
}

TEST(MeanInterval, OneValueSaysNothingOfTheSpread) {
  const std::vector<double> one{0.5};
  const auto interval = mean_interval(one);
  EXPECT_EQ(interval.mean, 0.5);
  EXPECT_EQ(interval.low, -std::numeric_limits<double>::infinity());
  EXPECT_EQ(interval.high, std::numeric_limits<double>::infinity());
}

TEST(MeanInterval, RefusesWhatHasNoInterval) {
  const std::vector<double> good{0.1, 0.2};
  EXPECT_THROW(mean_interval({}), base::Error);
  EXPECT_THROW(mean_interval(std::vector<double>{0.1, std::nan("")}), base::Error);
  EXPECT_THROW(mean_interval(good, 1.0), base::Error);
  EXPECT_THROW(mean_interval(good, 0.0), base::Error);
  EXPECT_THROW(student_t_quantile(0.975, 0), base::Error);
  EXPECT_THROW(student_t_quantile(1.0, 3), base::Error);
}

}  // namespace
}  // namespace infoscissors::stats
