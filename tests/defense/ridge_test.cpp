#include "infoscissors/defense/ridge.h"

#include "tests/defense/support.h"

#include <gtest/gtest.h>

namespace infoscissors::defense {
namespace {

using tests::generator;

torch::Tensor classes_of(std::int64_t count, std::int64_t classes, std::uint64_t seed) {
  return torch::randint(0, classes, {count}, generator(seed), torch::kInt64);
}

TEST(Ridge, LinearKernelEqualsThePrimalSolution) {
  const auto feature = torch::randn({30, 5}, generator(1), torch::kFloat32);
  const auto labels = classes_of(30, 3, 2);
  const double ridge = 0.3;
  const std::int64_t known = 17, size = 5;
  const auto z = ((feature - feature.mean(0)) / feature.std(0, /*unbiased=*/false)).to(torch::kFloat64);
  const auto y = torch::one_hot(labels, 3).to(torch::kFloat64);
  const auto mean = y.slice(0, 0, known).mean(0);
  const auto support = z.slice(0, 0, known), query = z.slice(0, known);
  const auto matrix = support.t().matmul(support) / size + ridge * torch::eye(size, z.options());
  const auto weights = torch::linalg_inv(matrix).matmul(support.t().matmul(y.slice(0, 0, known) - mean)) / size;
  const auto target = y.slice(0, known) - mean;
  const double expected = 1 - ((target - query.matmul(weights)).square().sum() / target.square().sum()).item<double>();
  const auto share = explained_share(feature, labels, 3, known, {.rbf = false, .ridge = ridge});
  EXPECT_NEAR(share.item<double>(), expected, 1e-4);
}

TEST(Ridge, GradientEqualsFiniteDifferences) {
  const auto labels = classes_of(12, 3, 3);
  for (const auto& attacker : {RidgeAttacker{.rbf = false}, RidgeAttacker{}, RidgeAttacker{.whiten = true}}) {
    auto feature = torch::randn({12, 4}, generator(4)).requires_grad_();
    const auto value = [&](const torch::Tensor& at) { return explained_share(at, labels, 3, 7, attacker); };
    value(feature).backward();
    const auto direction = torch::randn({12, 4}, generator(5));
    const double step = 1e-2;
    const torch::NoGradGuard no_grad;
    const double difference =
        (value(feature + step * direction) - value(feature - step * direction)).item<double>() / (2 * step);
    EXPECT_NEAR((feature.grad() * direction).sum().item<double>(), difference, 5e-3)
        << "whiten " << attacker.whiten << ", rbf " << attacker.rbf;
  }
}

TEST(Ridge, TellsWhatALinearAndACurvedAttackerSee) {
  const auto noise = torch::randn({600, 2}, generator(6));
  const auto labels = classes_of(600, 2, 7);
  const auto share = [&](const torch::Tensor& feature, bool rbf) {
    return explained_share(feature, labels, 2, 300, {.rbf = rbf}).item<double>();
  };
  EXPECT_LT(share(noise, false), 0.05);
  EXPECT_LT(share(noise, true), 0.05);
  const auto sides = 2.0 * labels.to(torch::kFloat32) - 1;
  const auto apart = noise + 4 * torch::stack({sides, -sides}, 1);
  EXPECT_GT(share(apart, false), 0.8);
  // Exclusive or: opposite corners share a class.
  const auto corner = 2.0 * torch::randint(0, 2, {600}, generator(8)) - 1;
  const auto crossed = 0.3 * noise + torch::stack({corner, corner * sides}, 1);
  EXPECT_LT(share(crossed, false), 0.05);
  EXPECT_GT(share(crossed, true), 0.8);
}

TEST(Ridge, WhitenedAttackerSeesWhatBusyChannelsHide) {
  const auto labels = classes_of(600, 2, 12);
  const auto sides = 2 * labels.to(torch::kFloat32) - 1;
  const auto loud = torch::randn({600}, generator(13));
  const auto feature = torch::stack({loud + 0.4 * sides, loud - 0.4 * sides}, 1);
  const auto share = [&](bool whiten) {
    return explained_share(feature, labels, 2, 300, {.whiten = whiten, .ridge = 30}).item<double>();
  };
  EXPECT_GT(share(true), share(false) + 0.2);
}

TEST(Ridge, ScaleHidesNothingAndConstantsAreHarmless) {
  const auto labels = classes_of(60, 2, 9);
  const auto sides = labels.to(torch::kFloat32).unsqueeze(1);
  const auto feature = sides + 0.1 * torch::randn({60, 3}, generator(10));
  const auto share = [&](const torch::Tensor& at) {
    return explained_share(at, labels, 2, 40, RidgeAttacker{}).item<double>();
  };
  EXPECT_NEAR(share(feature), share(0.05 * feature + 7), 1e-2);
  auto constant = torch::ones({60, 3}).requires_grad_();
  const auto none = explained_share(constant, labels, 2, 40, {});
  EXPECT_LT(none.item<double>(), 0.05);
  none.backward();
  EXPECT_TRUE(constant.grad().isfinite().all().item<bool>());
}

TEST(Ridge, PushesOnlyAboveChanceAndWithItsWarmup) {
  Step step;
  step.labels = classes_of(60, 3, 11);
  step.feature = torch::one_hot(step.labels, 3).to(torch::kFloat32);
  const auto penalty = [&](const std::string& spec, double epoch) {
    step.epoch = epoch;
    return tests::make(spec, {1, 3, 3}, {3})->penalty(step).item<double>();
  };
  const double full = penalty("ridge(weight=2,warmup=2)", 2);
  EXPECT_GT(full, 3);
  EXPECT_LE(full, 4) << "two attackers, each explains at most everything";
  EXPECT_LE(penalty("ridge(weight=2,warmup=2,whiten=false)", 2), 2);
  EXPECT_NEAR(penalty("ridge(weight=2,warmup=2)", 0.5), full / 4, 1e-5);
  // Labels that the features contradict: the attacker is misled, which is no gain.
  step.feature = torch::cat({step.feature.slice(0, 0, 40), step.feature.slice(0, 40).roll(1, 1)});
  EXPECT_EQ(penalty("ridge(weight=2)", 1), 0);
}

}  // namespace
}  // namespace infoscissors::defense
