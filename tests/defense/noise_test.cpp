#include "infoscissors/defense/privacy.h"

#include "tests/defense/support.h"
#include "tests/support/expect_error.h"

#include <gtest/gtest.h>

#include <cmath>

namespace infoscissors::defense {
namespace {

using tests::generator;
using tests::golden;

constexpr std::int64_t kDraws = 400000;

/// What a release adds to zeros. `width` elements a sample.
torch::Tensor noise_of(const std::string& spec, std::int64_t width = 100) {
  auto draw = generator(21);
  return tests::make(spec, {1, 1, width})
      ->release(torch::zeros({kDraws / width, 1, 1, width}), Site::representation, Phase::serve, draw, {})
      .to(torch::kFloat64);
}

/// Standard deviation, mean absolute value and the probability of more than three deviations: together they tell
/// Gaussian from Laplace. Tolerances are four standard errors of 400,000 draws at a fixed seed.
void expect_gaussian(const torch::Tensor& noise, double deviation) {
  EXPECT_NEAR(noise.mean().item<double>(), 0, 4 * deviation / std::sqrt(kDraws));
  EXPECT_NEAR(noise.std().item<double>() / deviation, 1, 4 * std::sqrt(0.5 / kDraws));
  EXPECT_NEAR(noise.abs().mean().item<double>() / deviation, std::sqrt(2 / M_PI), 4 * 0.61 / std::sqrt(kDraws));
  EXPECT_NEAR(noise.abs().gt(3 * deviation).to(torch::kFloat64).mean().item<double>(), 0.0026998, 3.3e-4);
}

void expect_laplace(const torch::Tensor& noise, double b) {
  EXPECT_NEAR(noise.mean().item<double>(), 0, 4 * std::sqrt(2) * b / std::sqrt(kDraws));
  EXPECT_NEAR(noise.abs().mean().item<double>() / b, 1, 4 / std::sqrt(kDraws));
  EXPECT_NEAR(noise.std().item<double>() / b, std::sqrt(2), 4 * 1.6 / std::sqrt(kDraws));
  EXPECT_NEAR(noise.abs().gt(5 * b).to(torch::kFloat64).mean().item<double>(), std::exp(-5), 5.2e-4);
}

TEST(AdditiveNoise, HasItsDistribution) {
  expect_gaussian(noise_of("an(scale=0.3)"), 0.3);
  expect_laplace(noise_of("an(scale=0.3,noise=laplace)"), 0.3);
}

TEST(Dropout, WithholdsItsShareAndRescalesNothing) {
  auto draw = generator(3);
  const auto defense = tests::make("dropout(probability=0.3)", {1, 1, 100});
  const auto released =
      defense->release(torch::full({kDraws / 100, 1, 1, 100}, 2.0), Site::representation, Phase::serve, draw, {});
  const auto kept = released.eq(2.0), gone = released.eq(0.0);
  EXPECT_TRUE((kept | gone).all().item<bool>());
  EXPECT_NEAR(gone.to(torch::kFloat64).mean().item<double>(), 0.3, 4 * std::sqrt(0.21 / kDraws));
}

TEST(Dp, GaussianCalibrationEqualsSixtyDigits) {
  for (const auto& entry : golden("gaussian")) {
    const double epsilon = entry.at("epsilon"), delta = entry.at("delta"),
                 sensitivity = 2 * entry.at("clip").get<double>();
    const double deviation = entry.at("deviation"), total = entry.at("total");
    EXPECT_NEAR(gaussian_deviation(epsilon, delta, sensitivity) / deviation, 1, 1e-7) << epsilon;
    EXPECT_NEAR(gaussian_epsilon(deviation, delta, sensitivity) / epsilon, 1, 1e-7) << epsilon;
    EXPECT_NEAR(compose_gaussian(deviation, delta, sensitivity, entry.at("queries")).epsilon / total, 1, 1e-7);
  }
  EXPECT_EQ(gaussian_epsilon(1e9, 1e-5, 1), 0) << "enough noise hides everything up to delta";
}

TEST(Dp, LaplaceCompositionIsTheBetterOfTwoBounds) {
  for (const auto& entry : golden("laplace")) {
    const auto all = compose_laplace(entry.at("epsilon"), entry.at("delta"), entry.at("queries"));
    EXPECT_NEAR(all.epsilon, entry.at("total").get<double>(), 1e-9);
    EXPECT_EQ(all.delta, entry.at("total_delta").get<double>());
  }
}

// 2 S / epsilon; the deviation of the second is the first line of golden_baselines.py.
TEST(Dp, AddsTheCalibratedNoise) {
  expect_laplace(noise_of("dp(epsilon=0.5,clip=3)"), 12.0);
  expect_gaussian(noise_of("dp(epsilon=0.5,noise=gaussian)"), 14.063653351164982);
  expect_laplace(noise_of("dp(mode=raw,scale=0.01)"), 0.01);
}

TEST(Dp, ClipsEachSampleByItself) {
  auto draw = generator(4);
  // Two samples, of L1 norm 8 and 0.4 and of L2 norm 4 and 0.2; noise too small to matter.
  const auto r = torch::tensor({2.0, -2.0, 2.0, 2.0, 0.1, -0.1, 0.1, -0.1}).view({2, 1, 1, 4});
  const auto first =
      tests::make("dp(clip=2,epsilon=1e9)", {1, 1, 4})->release(r, Site::representation, Phase::serve, draw, {});
  EXPECT_TRUE(torch::allclose(first[0], r[0] / 4, 1e-4, 1e-5)) << first;
  EXPECT_TRUE(torch::allclose(first[1], r[1], 1e-4, 1e-5));
  const auto second = tests::make("dp(clip=1,epsilon=1e9,noise=gaussian)", {1, 1, 4})
                          ->release(r, Site::representation, Phase::serve, draw, {});
  EXPECT_TRUE(torch::allclose(second[0], r[0] / 4, 1e-3, 1e-3)) << second;
  EXPECT_TRUE(torch::allclose(second[1], r[1], 1e-3, 1e-3));
  const auto raw =
      tests::make("dp(mode=raw,scale=0)", {1, 1, 4})->release(r, Site::representation, Phase::serve, draw, {});
  EXPECT_TRUE(raw.equal(r)) << "raw clips nothing";
}

TEST(Dp, RecordsItsGuarantee) {
  const auto laplace = make_defense("dp(epsilon=0.5,clip=3,queries=4)")->measures();
  EXPECT_EQ(laplace.at("dp_epsilon_representation"), 0.5);
  EXPECT_EQ(laplace.at("dp_delta_representation"), 0);
  EXPECT_EQ(laplace.at("dp_scale_representation"), 12);
  EXPECT_EQ(laplace.at("dp_total_epsilon_representation"), 2);
  const auto entry = golden("gaussian").at(1);
  const auto gaussian = make_defense("dp(noise=gaussian,clip=2,queries=10,site=both)")->measures();
  for (const char* site : {"representation", "feature"}) {
    EXPECT_NEAR(gaussian.at(std::string("dp_scale_") + site), entry.at("deviation").get<double>(), 1e-6);
    EXPECT_NEAR(gaussian.at(std::string("dp_total_epsilon_") + site), entry.at("total").get<double>(), 1e-6);
    EXPECT_EQ(gaussian.at(std::string("dp_total_delta_") + site), 1e-5);
  }
  EXPECT_TRUE(make_defense("dp(mode=raw)")->measures().empty()) << "raw noise guarantees nothing";
}

TEST(Dp, RefusesOptionsThatMeanNothing) {
  const auto raw = tests::message_of<base::UsageError>([] { make_defense("dp(mode=raw,epsilon=3)"); });
  EXPECT_NE(raw.find("epsilon has no meaning with mode=raw"), std::string::npos) << raw;
  EXPECT_THROW(make_defense("dp(scale=3)"), base::UsageError);
  EXPECT_THROW(make_defense("dp(noise=gaussian,delta=0)"), base::UsageError);
  EXPECT_THROW(make_defense("dp(site=gradients)"), base::UsageError);
}

}  // namespace
}  // namespace infoscissors::defense
