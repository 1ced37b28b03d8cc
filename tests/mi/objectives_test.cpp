#include "infoscissors/mi/objectives.h"

#include "infoscissors/tensor/device.h"
#include "tests/mi/gradient.h"

#include <gtest/gtest.h>

#include <cmath>

namespace infoscissors::mi {
namespace {

using testing_gradient::expect_gradient;

torch::Tensor random_scores(std::int64_t n) {
  auto random = tensor::make_generator(torch::kCPU, 1, "test");
  return torch::randn({n, n}, random, torch::TensorOptions(torch::kFloat64));
}

double value(const torch::Tensor& tensor) {
  return tensor.item<double>();
}

double softplus(double t) {
  return std::log1p(std::exp(t));
}

// Two pairs, written out: a and d are true pairs, b and c are not.
TEST(Objectives, AreTheirFormulas) {
  const double a = 0.3, b = -1.1, c = 0.7, d = 2.0;
  const auto scores = torch::tensor({{a, b}, {c, d}}, torch::kFloat64);
  const double mean = (std::exp(b) + std::exp(c)) / 2;
  EXPECT_NEAR(value(batch_log_mean_exp(scores)), std::log(mean), 1e-12);
  EXPECT_NEAR(value(nwj_loss(scores)), mean - (a + d) / 2, 1e-12);
  EXPECT_NEAR(value(mine_loss(scores, 1.7)), mean / 1.7 - (a + d) / 2, 1e-12);
  EXPECT_NEAR(value(jensen_shannon_loss(scores)), (softplus(-a) + softplus(-d)) / 2 + (softplus(b) + softplus(c)) / 2,
              1e-12);
}

TEST(Objectives, GradientsMatchFiniteDifferences) {
  const auto scores = random_scores(5);
  expect_gradient(batch_log_mean_exp, scores);
  expect_gradient(nwj_loss, scores);
  expect_gradient([](const torch::Tensor& t) { return mine_loss(t, 0.8); }, scores);
  expect_gradient(jensen_shannon_loss, scores);
}

// The gradient MINE follows is that of the Donsker-Varadhan bound itself when nothing is averaged over batches.
TEST(MineLoss, WithoutAveragingFollowsTheDonskerVaradhanBound) {
  const auto follow = [](const torch::Tensor& start, const std::function<torch::Tensor(const torch::Tensor&)>& loss) {
    auto leaf = start.clone().requires_grad_(true);
    loss(leaf).backward();
    return leaf.grad();
  };
  const auto scores = random_scores(6);
  const double mean = std::exp(value(batch_log_mean_exp(scores)));
  const auto mine = follow(scores, [&](const torch::Tensor& t) { return mine_loss(t, mean); });
  const auto bound = follow(scores, [](const torch::Tensor& t) { return batch_log_mean_exp(t) - t.diagonal().mean(); });
  EXPECT_TRUE(torch::allclose(mine, bound, 1e-12, 1e-12));
}

// A channel on two symbols, both pairs of a batch seen once with their probabilities: at T = ln p(x, y)/(p(x) p(y)) no
// small change of T lowers the losses, and minus the NWJ loss plus 1 is the information. Here y = x with two equally
// likely values: T = ln 2 on true pairs; off the diagonal half the pairs agree.
TEST(Objectives, AreSmallestAtTheLogDensityRatio) {
  const double agree = std::log(2.0), differ = -40.0;
  // Rows and columns 0 and 2 have the symbol 0, 1 and 3 the symbol 1; the off-diagonal mean is then over 4 agreeing and
  // 8 differing pairs, so the product of the marginals is not quite met and T shifts to ln(12 / 4).
  const double ratio = std::log(3.0);
  const auto build = [&](double t) {
    const auto symbol = torch::arange(4).remainder(2);
    return torch::where(symbol.unsqueeze(1) == symbol, torch::full({4, 4}, t, torch::kFloat64),
                        torch::full({4, 4}, differ, torch::kFloat64));
  };
  for (const double step : {-0.1, 0.1, 0.5}) {
    EXPECT_GT(value(nwj_loss(build(ratio + step))), value(nwj_loss(build(ratio))));
    EXPECT_GT(value(jensen_shannon_loss(build(ratio + step))), value(jensen_shannon_loss(build(ratio))));
  }
  EXPECT_NEAR(1 - value(nwj_loss(build(ratio))), ratio, 1e-12);
  EXPECT_LT(1 - value(nwj_loss(build(agree))), ratio);
}

TEST(BatchLogMeanExp, SurvivesLargeScores) {
  const auto scores = torch::full({3, 3}, 2000.0, torch::kFloat64);
  EXPECT_NEAR(value(batch_log_mean_exp(scores)), 2000.0, 1e-9);
}

}  // namespace
}  // namespace infoscissors::mi
