#include "infoscissors/mi/factors.h"

#include "infoscissors/mi/neighbours.h"
#include "infoscissors/mi/network.h"
#include "infoscissors/tensor/device.h"
#include "tests/mi/gradient.h"

#include <gtest/gtest.h>

#include <cmath>

namespace infoscissors::mi {
namespace {

using testing_gradient::expect_gradient;

Factors random_factors(std::int64_t m, std::int64_t n, std::uint64_t seed) {
  auto random = tensor::make_generator(torch::kCPU, seed, "test");
  return {torch::randn({m, 3}, random), torch::randn({m}, random), torch::randn({n, 3}, random),
          torch::randn({n}, random)};
}

// Against the plain matrix, over more than one block and with more rows than columns.
TEST(OffDiagonalLogSums, ExcludeExactlyTheTruePairs) {
  for (const auto& [m, n] : std::vector<std::pair<std::int64_t, std::int64_t>>{
           {kBlock + 300, kBlock + 300}, {2 * kBlock + 7, kBlock - 5}, {2, 2}}) {
    auto factors = random_factors(m, n, 1);
    factors.right_bias[0] = 200.0;  // exp overflows a float: only a stable sum survives
    auto scores = factors.all();
    scores.narrow(0, 0, std::min(m, n)).diagonal().fill_(-std::numeric_limits<float>::infinity());
    const auto sums = off_diagonal_log_sums(factors);
    EXPECT_TRUE(torch::allclose(sums.rows, scores.logsumexp(1), 1e-4, 1e-4));
    EXPECT_TRUE(torch::allclose(sums.columns, scores.logsumexp(0), 1e-4, 1e-4));
    const auto clipped = off_diagonal_log_sums(factors, 1.0);
    EXPECT_TRUE(torch::allclose(clipped.rows, scores.clamp(-1, 1).masked_fill(scores.isinf(), -INFINITY).logsumexp(1),
                                1e-4, 1e-4));
  }
}

TEST(InfoNceTerms, AreTheSameInBlocks) {
  const auto factors = random_factors(kBlock + 100, kBlock + 100, 2);
  const auto plain = factors.diagonal() - factors.all().logsumexp(1) + std::log(static_cast<double>(kBlock + 100));
  EXPECT_TRUE(torch::allclose(infonce_terms(factors), plain, 1e-4, 1e-4));
}

// Against the log-density ratio of a bivariate normal written out.
TEST(GaussianFactors, AreTheLogDensityRatio) {
  const double rho = 0.7, u = 0.4, v = -1.3;
  const auto factors = gaussian_factors(torch::tensor({{u, 9.0}}), torch::tensor({{v}}), torch::tensor({rho}));
  const double rest = 1 - rho * rho;
  const double joint = -0.5 * (u * u - 2 * rho * u * v + v * v) / rest - 0.5 * std::log(rest);
  EXPECT_NEAR(factors.diagonal().item<double>(), joint + 0.5 * (u * u + v * v), 1e-6);
}

TEST(InfoNceTerms, GradientsMatchFiniteDifferences) {
  auto random = tensor::make_generator(torch::kCPU, 3, "test");
  const auto options = torch::TensorOptions(torch::kFloat64);
  const auto right = torch::randn({4, 2}, random, options);
  const auto zero = torch::zeros({4}, options);
  expect_gradient(
      [&](const torch::Tensor& left) {
        return infonce_terms({left, zero, right, zero}).mean();
      },
      torch::randn({4, 2}, random, options));
}

TEST(Perceptron, StartsAtZeroAndItsWeightsComeFromTheGenerator) {
  auto one = tensor::make_generator(torch::kCPU, 4, "test");
  auto two = tensor::make_generator(torch::kCPU, 4, "test");
  const auto input = torch::ones({3, 5});
  EXPECT_EQ(Perceptron(5, 2, true, {}, one, torch::kCPU)(input).abs().max().item<double>(), 0.0);
  EXPECT_EQ(Perceptron(5, 2, true, {}, two, torch::kCPU)(input).abs().max().item<double>(), 0.0);
  EXPECT_TRUE(torch::equal(Perceptron(5, 2, false, {}, one, torch::kCPU)(input),
                           Perceptron(5, 2, false, {}, two, torch::kCPU)(input)));
}

// Uniform on a square: ln 1 = 0. The estimator's bias there is small, its deviation about sqrt(1.5 / N).
TEST(NeighbourEntropy, OfTheUniformIsZero) {
  auto random = tensor::make_generator(torch::kCPU, 5, "test");
  EXPECT_NEAR(neighbour_entropy_terms(torch::rand({3000, 2}, random), 3).mean().item<double>(), 0.0, 0.06);
}

}  // namespace
}  // namespace infoscissors::mi
