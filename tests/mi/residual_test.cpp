#include "infoscissors/mi/residual.h"

#include "infoscissors/base/error.h"
#include "infoscissors/mi/certificate.h"
#include "infoscissors/tensor/device.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

namespace infoscissors::mi {
namespace {

constexpr double kTwoPiE = 2 * std::numbers::pi * std::numbers::e;
constexpr std::int64_t kRows = 400;

// Columns without mean, whose sample covariance is exactly the identity, so that closed forms hold without sampling
// error.
torch::Tensor white(std::int64_t columns, std::uint64_t seed) {
  auto random = tensor::make_generator(torch::kCPU, seed, "test");
  const auto raw = torch::randn({kRows, columns}, random, torch::TensorOptions(torch::kFloat64));
  return std::get<0>(torch::linalg_qr(raw - raw.mean(0))) * std::sqrt(kRows - 1.0);
}

torch::Tensor deviations(const std::vector<double>& variances) {
  return torch::tensor(variances, torch::kFloat64).sqrt();
}

/// x = turned(signal + noise) and g = turned(signal): the generator that knows all there is to know.
struct Channel {
  Reconstructed pairs;
  torch::Tensor turn;  // (Q, Q)
};

Channel channel(const std::vector<double>& signal, const std::vector<double>& noise, std::uint64_t seed = 1) {
  const auto q = static_cast<std::int64_t>(signal.size());
  const auto columns = white(2 * q, seed);
  auto random = tensor::make_generator(torch::kCPU, seed, "turn");
  const auto turn = std::get<0>(torch::linalg_qr(torch::randn({q, q}, random, torch::TensorOptions(torch::kFloat64))));
  const auto g = columns.narrow(1, 0, q) * deviations(signal);
  const auto x = g + columns.narrow(1, q, q) * deviations(noise);
  return {{x.matmul(turn), g.matmul(turn)}, turn};
}

double sum_log(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += std::log(value);
  return sum;
}

TEST(MeasureResidual, IsTheClosedFormOfAGaussianChannel) {
  const std::vector<double> signal = {2.0, 1.0, 0.5}, noise = {0.3, 0.2, 0.1};
  const auto c = channel(signal, noise);
  const Directions all{torch::eye(3), 0.2};
  const auto figures = measure_residual(all, c.pairs, c.pairs);
  // vCLUB is the covariance of x and g over s^2; all pairs hold each pair with itself, hence (N - 1) / N.
  EXPECT_NEAR(figures.information, 3.5 / 0.2 * (kRows - 1.0) / kRows, 1e-6);
  EXPECT_NEAR(figures.entropy, 0.5 * (3 * std::log(kTwoPiE) + sum_log({2.3, 1.2, 0.6})), 1e-6);
  EXPECT_NEAR(figures.conditional_entropy, 0.5 * (3 * std::log(kTwoPiE) + sum_log(noise)), 1e-6);
  EXPECT_EQ(figures.information_missing, 0.0);
  EXPECT_EQ(figures.conditional_missing, 0.0);
  EXPECT_GT(figures.information_error, 0.0);
}

// Half of the distance of a chi-squared variable with m degrees of freedom has variance m / 2.
TEST(MeasureResidual, StatesItsSamplingError) {
  const auto c = channel({1, 1, 1, 1}, {1, 1, 1, 1});
  const auto figures = measure_residual({torch::eye(4), 1.0}, c.pairs, c.pairs);
  EXPECT_NEAR(figures.conditional_error, std::sqrt(4 / 2.0 / kRows), 0.15 * std::sqrt(2.0 / kRows));
}

// Residuals of the trained pairs that are half as large: the log-likelihood falls by 1/2 tr(S^-1 S) (1 - 1/4).
TEST(MeasureResidual, EstimatesWhatTheFitIsMissing) {
  const auto c = channel({1, 1}, {0.4, 0.4});
  const Reconstructed closer{c.pairs.x, c.pairs.x + 0.5 * (c.pairs.g - c.pairs.x)};
  const auto figures = measure_residual({torch::eye(2), 0.4}, closer, c.pairs);
  const double gap = 0.5 * 2 * (1 - 0.25) * (kRows - 1.0) / kRows;
  EXPECT_NEAR(figures.conditional_missing, gap / 2, 1e-6);
  EXPECT_NEAR(figures.information_missing, gap / 2, 1e-6);
}

// Six directions, of which two hardly vary: the floor m (l_1 ... l_m)^(1/m) is largest for the first four.
TEST(ResidualDirections, AreThoseThatMakeTheFloorLargest) {
  const std::vector<double> noise = {4.0, 3.0, 2.0, 1.5, 1e-6, 1e-7};
  const auto c = channel(std::vector<double>(6, 1.0), noise);
  const auto chosen = residual_directions(c.pairs);
  ASSERT_EQ(chosen.count(), 4);
  EXPECT_NEAR(chosen.variance, (4.0 + 3.0 + 2.0 + 1.5) / 4, 1e-5);
  const auto matrix = chosen.matrix.to(torch::kFloat64);
  EXPECT_TRUE(torch::allclose(matrix.t().matmul(matrix), torch::eye(4, torch::kFloat64), 1e-5, 1e-5));
  // They lie in the space of the four that vary (rows of the turn).
  const auto outside = c.turn.narrow(0, 4, 2).matmul(matrix);
  EXPECT_LT(outside.abs().max().item<double>(), 1e-4);
}

TEST(ResidualDirections, NeverExceedAQuarterOfThePairs) {
  auto random = tensor::make_generator(torch::kCPU, 3, "test");
  const auto x = torch::rand({16, 3, 5, 5}, random);
  EXPECT_LE(residual_directions({x, torch::zeros_like(x)}).count(), 4);
  EXPECT_EQ(residual_directions({x, x}).count(), 1) << "a perfect reconstruction leaves no direction to choose";
  const Directions many{torch::eye(75), 1.0};
  EXPECT_THROW(measure_residual(many, {x, x}, {x, x}), base::Error);
}

// For a Gaussian channel the mean squared error of g, the best there is, is known: the entropy-power floor attains it
// where the residual is isotropic, and the paper's floor stays below. Shows that the units are right on the way from a
// residual to a floor on the error per element; not that a network's residual is Gaussian.
TEST(Floors, HoldForAGaussianChannelAndAreAttained) {
  const std::vector<double> signal = {0.02, 0.01, 0.01, 0.0, 0.0}, noise = {0.05, 0.05, 0.05, 0.05, 1e-9};
  const auto c = channel(signal, noise);
  const auto chosen = residual_directions(c.pairs);
  ASSERT_EQ(chosen.count(), 4);
  const auto f = measure_residual(chosen, c.pairs, c.pairs);
  const double best = (c.pairs.x - c.pairs.g).square().mean().item<double>();
  const auto power = along_directions(entropy_power_floor(f.conditional_entropy, 4), 1.0, 4, 5);
  EXPECT_NEAR(power.value, 0.04, 1e-6);
  EXPECT_NEAR(power.value, best, 2e-4);
  const double kappa = f.entropy - 0.5 * 4 * std::log(2 * std::numbers::pi * chosen.variance);
  const auto paper = along_directions(squared_error_floor(kappa, f.information, 0, 4), chosen.variance, 4, 5);
  // s^2 [1/m sum ln(l_x / s^2) + 1 - 2/m sum (l_x - l_e) / s^2] m / Q, by hand.
  const double ratio = (std::log(1.4) + 2 * std::log(1.2)) / 4, information = 0.04 / 0.05 * (kRows - 1.0) / kRows;
  EXPECT_NEAR(paper.value, 0.05 * (ratio + 1 - 2 * information / 4) * 4 / 5, 1e-6);
  EXPECT_GT(paper.value, 0.0);
  EXPECT_LT(paper.value, best);
}

}  // namespace
}  // namespace infoscissors::mi
