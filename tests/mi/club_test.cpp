#include "infoscissors/mi/club.h"

#include "infoscissors/base/error.h"
#include "infoscissors/mi/health.h"
#include "infoscissors/tensor/device.h"
#include "tests/mi/gradient.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <torch/nn/functional/loss.h>

#include <cmath>

namespace infoscissors::mi {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing_gradient::expect_gradient;

torch::Generator generator(std::uint64_t seed) {
  return tensor::make_generator(torch::kCPU, seed, "test");
}

TEST(GaussianLogLikelihood, IsTheMeanOverElements) {
  const auto target = torch::tensor({{{0.0, 1.0}, {2.0, 3.0}}, {{1.0, 1.0}, {1.0, 1.0}}});
  const auto mean = torch::ones({2, 2, 2}, torch::kFloat64);
  const auto value = gaussian_log_likelihood(target, mean);
  ASSERT_EQ(value.sizes(), (std::vector<std::int64_t>{2}));
  // squared differences 1, 0, 1, 4
  EXPECT_NEAR(value[0].item<double>(), -0.5 * 6.0 / 4.0, 1e-12);
  EXPECT_EQ(value[1].item<double>(), 0.0);
}

TEST(GaussianLogLikelihood, RefusesToBroadcast) {
  EXPECT_THROW(gaussian_log_likelihood(torch::zeros({4, 3}), torch::zeros({4, 1})), base::Error);
}

TEST(CategoricalLogLikelihood, IsMinusTheCrossEntropy) {
  auto random = generator(1);
  const auto logits = torch::randn({7, 5}, random);
  const auto labels = torch::randint(5, {7}, random, torch::kInt64);
  const auto expected = -torch::nn::functional::cross_entropy(
      logits, labels, torch::nn::functional::CrossEntropyFuncOptions().reduction(torch::kNone));
  EXPECT_TRUE(torch::allclose(categorical_log_likelihood(logits, labels), expected));
  EXPECT_THROW(categorical_log_likelihood(logits, labels.slice(0, 1)), base::Error);
}

TEST(VclubSampled, GradientsMatchFiniteDifferences) {
  auto random = generator(2);
  const auto options = torch::TensorOptions(torch::kFloat64);
  const auto weight = torch::randn({4, 3}, random, options);
  const auto images = torch::randn({6, 3}, random, options);
  const auto other = random_targets(6, random);
  expect_gradient(
      [&](const torch::Tensor& r) {
        const auto mean = torch::sigmoid(r.matmul(weight));
        return vclub_sampled(gaussian_log_likelihood(images, mean),
                             gaussian_log_likelihood(images.index_select(0, other), mean));
      },
      torch::randn({6, 4}, random, options));
  const auto labels = torch::tensor({0, 2, 1, 1, 0, 2});
  expect_gradient(
      [&](const torch::Tensor& logits) {
        return vclub_sampled(categorical_log_likelihood(logits, labels),
                             categorical_log_likelihood(logits, labels.index_select(0, other)));
      },
      torch::randn({6, 3}, random, options));
}

// Shows that the sampled form has the expectation of the all-pairs form under the documented draw; not that it is an
// upper bound (that depends on q).
TEST(VclubSampled, HasTheMeanOfAllPairs) {
  auto random = generator(3);
  const auto x = torch::randn({8, 2}, random, torch::kFloat64);
  const auto mean = torch::randn({8, 2}, random, torch::kFloat64);
  const auto all = gaussian_log_likelihood(x.unsqueeze(1).expand({8, 8, 2}).reshape({64, 2}),
                                           mean.unsqueeze(0).expand({8, 8, 2}).reshape({64, 2}));
  const auto positive = gaussian_log_likelihood(x, mean);
  const double expected = (positive.mean() - all.mean()).item<double>();
  double sum = 0;
  constexpr int kDraws = 20000;
  for (int i = 0; i < kDraws; ++i) {
    const auto targets = random_targets(8, random);
    sum += vclub_sampled(positive, gaussian_log_likelihood(x.index_select(0, targets), mean)).item<double>();
  }
  EXPECT_NEAR(sum / kDraws, expected, 0.03);
}

TEST(RandomTargets, AreUniformAndReproducible) {
  auto random = generator(4);
  const auto counts = random_targets(100000, random).remainder(10).bincount({}, 10);
  EXPECT_LT(counts.max().item<std::int64_t>(), 10500);
  EXPECT_GT(counts.min().item<std::int64_t>(), 9500);
  auto one = generator(5);
  auto two = generator(5);
  EXPECT_TRUE(torch::equal(random_targets(64, one), random_targets(64, two)));
  EXPECT_THROW(random_targets(0, random), base::Error);
}

TEST(TrainingHealth, RaisesWhatItSees) {
  EXPECT_TRUE(training_health(0.5, -1, -1.5, std::log(10)).fine());
  EXPECT_THAT(training_health(-0.1, -1.6, -1.5).flags(), ElementsAre("negative"));
  EXPECT_THAT(training_health(NAN, -1, -1).flags(), ElementsAre("not_finite"));
  EXPECT_THAT(training_health(100, -1e-9, -100, std::log(10)).flags(), ElementsAre("saturated", "ceiling"));
  EXPECT_THAT(training_health(-0.1, -1.6, -1.5).warnings("I(v; y)"),
              ElementsAre(HasSubstr("I(v; y): the estimate is negative (-0.1 nats)")));
}

}  // namespace
}  // namespace infoscissors::mi
