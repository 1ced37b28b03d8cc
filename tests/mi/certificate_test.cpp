#include "infoscissors/mi/certificate.h"

#include "infoscissors/base/error.h"

#include <gtest/gtest.h>

#include <cmath>

namespace infoscissors::mi {
namespace {

// Worked by hand: H = ln 10 = 2.302585, I = 0.5, ln 2 = 0.693147, ln 9 = 2.197225:
// (2.302585 - 0.5 - 0.693147) / 2.197225 = 0.504927.
TEST(FanoAccuracy, MatchesTheHandComputation) {
  const auto certificate = fano_accuracy(std::log(10.0), 0.5, 10);
  EXPECT_NEAR(certificate.value, 0.495073, 1e-6);
  EXPECT_FALSE(certificate.vacuous);
  EXPECT_FALSE(certificate.assumption.empty());
}

TEST(FanoAccuracy, SaysWhenItForbidsNothing) {
  const auto certificate = fano_accuracy(std::log(10.0), 2.0, 10);
  EXPECT_EQ(certificate.value, 1.0);
  EXPECT_TRUE(certificate.vacuous);
  EXPECT_DOUBLE_EQ(fano_accuracy(std::log(10.0), -3.0, 10).value, fano_accuracy(std::log(10.0), 0.0, 10).value);
  EXPECT_THROW(fano_accuracy(std::log(2.0), 0.1, 2), base::UsageError);
  EXPECT_THROW(fano_accuracy(3.0, 0.1, 10), base::UsageError);
  EXPECT_THROW(fano_accuracy(1.0, NAN, 10), base::UsageError);
}

TEST(FanoAccuracyExact, IsChanceWithoutInformationAndAttainedByASymmetricChannel) {
  EXPECT_NEAR(fano_accuracy_exact(std::log(10.0), 0.0, 10).value, 0.1, 1e-6);
  // A K-ary symmetric channel with error e attains Fano with equality: I = ln K - H_b(e) - e ln(K - 1).
  for (const double e : {0.05, 0.3, 0.6}) {
    const double binary = -e * std::log(e) - (1 - e) * std::log(1 - e);
    const double information = std::log(5.0) - binary - e * std::log(4.0);
    EXPECT_NEAR(fano_accuracy_exact(std::log(5.0), information, 5).value, 1 - e, 1e-9);
    EXPECT_GE(fano_accuracy(std::log(5.0), information, 5).value, 1 - e);
  }
  EXPECT_NEAR(fano_accuracy_exact(std::log(2.0), std::log(2.0), 2).value, 1.0, 1e-9);
}

TEST(CrossEntropyFloor, SubtractsInformationAndDivergence) {
  EXPECT_NEAR(cross_entropy_floor(2.302585, 0.8, 0.2).value, 1.302585, 1e-12);
  EXPECT_TRUE(cross_entropy_floor(1.0, 0.9, 0.2).vacuous);
  EXPECT_THROW(cross_entropy_floor(1.0, 0.9, -0.2), base::UsageError);
  EXPECT_DOUBLE_EQ(cross_entropy_floor(1.0, -0.3, 0.0).value, 1.0) << "guessing is not harder than guessing";
}

TEST(SquaredErrorFloor, MatchesTheHandComputation) {
  EXPECT_DOUBLE_EQ(squared_error_floor(100.0, 30.0, 10.0, 3072).value, 2.0 * 60.0 / 3072.0);
  EXPECT_EQ(squared_error_floor(10.0, 30.0, 0.0, 3072).value, 0.0);
  EXPECT_THROW(squared_error_floor(10.0, 30.0, 0.0, 0), base::UsageError);
  EXPECT_DOUBLE_EQ(squared_error_floor(10.0, -3.0, 0.0, 5).value, squared_error_floor(10.0, 0.0, 0.0, 5).value);
}

// A Gaussian attains it: h = Q/2 ln(2 pi e s^2) gives s^2 back.
TEST(EntropyPowerFloor, IsTheVarianceOfAGaussian) {
  const double variance = 0.037;
  const double pi = std::acos(-1.0);
  const double entropy = 0.5 * 12 * std::log(2 * pi * std::exp(1.0) * variance);
  EXPECT_NEAR(entropy_power_floor(entropy, 12).value, variance, 1e-12);
  EXPECT_NEAR(entropy_power_floor(0.0, 7).value, 0.0585498, 1e-7);
}

TEST(AlongDirections, SpreadsTheFloorOverAllElements) {
  const auto floor = entropy_power_floor(0.0, 4);
  EXPECT_DOUBLE_EQ(along_directions(floor, 0.25, 4, 16).value, floor.value / 16);
  EXPECT_EQ(along_directions(floor, 0.25, 4, 16).quantity, floor.quantity);
  EXPECT_THROW(along_directions(floor, 1.0, 5, 4), base::UsageError);
  EXPECT_THROW(along_directions(floor, -1.0, 4, 4), base::UsageError);
}

}  // namespace
}  // namespace infoscissors::mi
