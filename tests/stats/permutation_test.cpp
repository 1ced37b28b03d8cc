#include "infoscissors/stats/permutation.h"

#include "infoscissors/base/error.h"
#include "infoscissors/base/json.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <random>
#include <vector>

namespace infoscissors::stats {
namespace {

using Values = std::vector<double>;

TEST(PairedTest, EqualsScipy) {
  const auto golden = base::read_json(std::filesystem::path(INFOSCISSORS_TEST_DATA) / "golden.json");
  const auto& cases = golden.at("permutations");
  ASSERT_EQ(cases.size(), 12U);
  for (const auto& row : cases) {
    const auto test = paired_test(row["a"].get<Values>(), row["b"].get<Values>());
    EXPECT_NEAR(test.p, row["p"].get<double>(), 1e-12) << row.dump();
    EXPECT_TRUE(test.exact);
  }
}

TEST(PairedTest, ThreePairsCannotShowMuch) {
  const auto test = paired_test(Values{0.9, 0.91, 0.92}, Values{0.1, 0.11, 0.12});
  EXPECT_NEAR(test.difference, 0.8, 1e-12);
  EXPECT_DOUBLE_EQ(test.p, 0.25);
  EXPECT_DOUBLE_EQ(test.smallest_p, 0.25);
}

TEST(PairedTest, EqualValuesDoNotDiffer) {
  const auto test = paired_test(Values{0.1, 0.2, 0.3}, Values{0.1, 0.2, 0.3});
  EXPECT_DOUBLE_EQ(test.difference, 0.0);
  EXPECT_DOUBLE_EQ(test.p, 1.0);
}

TEST(PairedTest, ManyPairsAreSampled) {
  Values a, b;
  for (int i = 0; i < 40; ++i) {
    a.push_back(0.5 + 0.01 * i);
    b.push_back(a.back() - 0.05);
  }
  const auto far = paired_test(a, b, 1, 5000);
  EXPECT_FALSE(far.exact);
  EXPECT_EQ(far.exchanges, 5001);
  EXPECT_DOUBLE_EQ(far.p, 1.0 / 5001);
  for (std::size_t i = 0; i < b.size(); ++i) b[i] = a[i] + (i % 2 == 0 ? 0.05 : -0.05);
  EXPECT_GT(paired_test(a, b, 1, 5000).p, 0.9);
}

// Under the hypothesis p <= 0.1 happens in at most 10 % of the cases; of 1000 the share has a standard deviation of 1
// %.
TEST(PairedTest, RarelyFindsWhatIsNotThere) {
  std::mt19937 random(5);
  std::normal_distribution<double> normal;
  int found = 0;
  for (int i = 0; i < 1000; ++i) {
    Values a(6), b(6);
    for (auto& value : a) value = normal(random);
    for (auto& value : b) value = normal(random);
    found += paired_test(a, b).p <= 0.1 ? 1 : 0;
  }
  EXPECT_LT(found, 140);
  EXPECT_GT(found, 50);  // 6 of 64 exchanges: 9.4 %
}

TEST(PairedTest, RefusesWhatIsNoPair) {
  EXPECT_THROW(paired_test({}, {}), base::Error);
  EXPECT_THROW(paired_test(Values{1}, Values{1, 2}), base::Error);
  EXPECT_THROW(paired_test(Values{NAN}, Values{1}), base::Error);
}

}  // namespace
}  // namespace infoscissors::stats
