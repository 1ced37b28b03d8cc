#include "infoscissors/defense/infoscissors.h"

#include "infoscissors/base/json.h"
#include "infoscissors/mi/club.h"
#include "infoscissors/nn/decoder.h"
#include "infoscissors/nn/initialise.h"

#include "tests/defense/support.h"
#include "tests/support/expect_error.h"

#include <gtest/gtest.h>
#include <torch/nn/modules/linear.h>

namespace infoscissors::defense {
namespace {

using tests::generator;
using tests::tensor_of;

/// The fixed tensors of golden.py and a defence whose adversaries have its weights.
struct Golden {
  base::Json file = base::read_json(std::string(INFOSCISSORS_TEST_DATA) + "/infoscissors.json");
  Step step;

  Golden() {
    step.images = tensor_of(file.at("x"));
    step.labels = torch::tensor(file.at("y").get<std::vector<std::int64_t>>());
    step.representation = tensor_of(file.at("r")).requires_grad_();
    step.feature = tensor_of(file.at("v")).requires_grad_();
    step.cross_entropy = torch::tensor(1.0);
    step.epoch = 1;
    step.generator = generator(file.at("seed").get<std::uint64_t>());
  }

  InfoScissors::Options options(double input, double prediction) const {
    InfoScissors::Options o;
    o.input = input;
    o.prediction = prediction;
    o.psi = "linear";
    o.psi_sigma = file.at("sigma").get<double>();
    o.phi_layers = 1;
    o.standardise = false;
    return o;
  }

  std::shared_ptr<InfoScissors> defense(const InfoScissors::Options& options) const {
    auto made = std::make_shared<InfoScissors>(options);
    made->setup(
        {.image = {1, 5, 5}, .representation = {2, 5, 5}, .feature = {4}, .classes = 3, .epochs = 4, .runtime = {}});
    for (const auto& [name, module] : made->modules()) {
      for (auto& parameter : module->parameters()) {
        const torch::NoGradGuard no_grad;
        parameter.copy_(tensor_of(file.at(name + (parameter.dim() > 1 ? "_weight" : "_bias"))));
      }
    }
    return made;
  }
};

TEST(InfoScissors, TermsAndGradientsEqualPyTorch) {
  Golden golden;
  const auto defense = golden.defense(golden.options(0.5, 0.0));
  const auto input = defense->penalty(golden.step);
  EXPECT_NEAR(input.item<double>(), 0.5 * golden.file.at("input").get<double>(), 1e-5);
  input.backward();
  EXPECT_TRUE(
      torch::allclose(golden.step.representation.grad(), 0.5 * tensor_of(golden.file.at("r_grad")), 1e-4, 1e-6));
  EXPECT_FALSE(golden.step.feature.grad().defined()) << "the input term must reach the head alone";

  Golden other;
  const auto second = other.defense(other.options(0.0, 0.25));
  const auto prediction = second->penalty(other.step);
  EXPECT_NEAR(prediction.item<double>(), 0.25 * other.file.at("prediction").get<double>(), 1e-5);
  prediction.backward();
  EXPECT_TRUE(torch::allclose(other.step.feature.grad(), 0.25 * tensor_of(other.file.at("v_grad")), 1e-4, 1e-6));
}

TEST(InfoScissors, GradientsEqualFiniteDifferences) {
  Golden golden;
  auto options = golden.options(0.3, 0.3);
  options.psi = "conv";
  options.phi_layers = 3;
  options.standardise = true;
  InfoScissors defense(options);
  defense.setup(
      {.image = {1, 5, 5}, .representation = {2, 5, 5}, .feature = {4}, .classes = 3, .epochs = 4, .runtime = {}});
  const auto value = [&](const torch::Tensor& r, const torch::Tensor& v) {
    Step step = golden.step;
    step.representation = r;
    step.feature = v;
    step.generator = generator(5);
    return defense.penalty(step);
  };
  value(golden.step.representation, golden.step.feature).backward();
  const double eps = 1e-2;  // rounding of the float32 value, 1e-7, stays far below the difference
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    auto draw = generator(100 + seed);
    const auto dr = torch::randn({6, 2, 5, 5}, draw), dv = torch::randn({6, 4}, draw);
    const auto r = golden.step.representation.detach(), v = golden.step.feature.detach();
    const double numeric =
        (value(r + eps * dr, v + eps * dv) - value(r - eps * dr, v - eps * dv)).item<double>() / (2 * eps);
    const double analytic =
        ((golden.step.representation.grad() * dr).sum() + (golden.step.feature.grad() * dv).sum()).item<double>();
    EXPECT_NEAR(numeric, analytic, 0.03 * std::abs(analytic) + 2e-3);
  }
}

// x = a r + n with r and n Gaussian, q the true conditional up to its unit variance: the expectation of vCLUB-S is
// 1/2 (Var x' around a r) - 1/2 Var n = a^2 Var r. Three standard errors: a false alarm in 370 runs, and the seed is
// fixed.
TEST(ClubTerm, EqualsItsClosedFormForALinearGaussianChannel) {
  const double a = 0.8, deviation = 1.5;
  const std::int64_t count = 200000;
  auto network = nn::wrap(torch::nn::Linear(1, 1));
  {
    const torch::NoGradGuard no_grad;
    network->parameters()[0].fill_(a);
    network->parameters()[1].zero_();
  }
  const auto log_q = [](const torch::Tensor& mean, const torch::Tensor& x) {
    return mi::gaussian_log_likelihood(x, mean);
  };
  ClubTerm term("input", network, log_q, {}, {}, {});
  auto draw = generator(17);
  const auto r = deviation * torch::randn({count, 1}, draw);
  const auto x = a * r + 0.5 * torch::randn({count, 1}, draw);
  const double truth = a * a * deviation * deviation;
  // The single differences have a variance below 4 truth^2 + 1.
  const double error = 3 * std::sqrt((4 * truth * truth + 1) / static_cast<double>(count));
  EXPECT_NEAR(term.penalty(r, x, torch::ones({}), draw).item<double>(), truth, error);
}

TEST(ClubTerm, LearnsTheLikelihoodAndReportsTheEpoch) {
  auto network = nn::make_mlp(4, 16, 3, 2);
  nn::initialise(*network, generator(1));
  ClubTerm term("prediction", network,
                [](const torch::Tensor& o, const torch::Tensor& y) { return mi::categorical_log_likelihood(o, y); },
                {.rate = 1e-2, .steps = 5}, {.floor = {}, .ceiling = std::log(3.0)}, {});
  auto draw = generator(2);
  const auto v = torch::randn({256, 4}, draw);
  const auto y = v.slice(1, 0, 3).argmax(1);
  const double before = term.penalty(v, y, torch::ones({}), draw).item<double>();
  for (int i = 0; i < 60; ++i) term.update(v, y);
  const double after = term.penalty(v, y, torch::ones({}), draw).item<double>();
  EXPECT_GT(after, before + 1.0);
  const auto report = term.end_epoch();
  EXPECT_NEAR(report.values.at("information_prediction"), (before + after) / 2, 1e-6);
  EXPECT_TRUE(term.end_epoch().values.empty()) << "an epoch's sums must not leak into the next";
  EXPECT_FALSE(report.warnings.empty()) << "an estimate above ln 3 cannot be an information on three labels";
}

TEST(ClubTerm, ASquaredPushFadesTowardsItsFloor) {
  const auto network = nn::wrap(torch::nn::Linear(1, 1));
  const auto log_q = [](const torch::Tensor& output, const torch::Tensor& secret) {
    return (output * secret).select(1, 0);
  };
  struct Push {
    double estimate, value, gradient;
  };
  const auto push = [&](double floor, const torch::Tensor& active) -> Push {
    ClubTerm term("input", network, log_q, {}, {.floor = floor, .ceiling = 1e9, .squared = true}, {});
    auto draw = generator(3);
    const auto exposed = torch::randn({8, 1}, draw).requires_grad_(), secret = torch::randn({8, 1}, draw);
    const auto value = term.penalty(exposed, secret, active, draw);
    value.backward();
    return {term.end_epoch().values.at("information_input"), value.item<double>(),
            exposed.grad().abs().max().item<double>()};
  };
  const auto one = torch::ones({}), zero = torch::zeros({});
  const double estimate = push(-1e3, one).estimate;
  const auto far = push(estimate - 1, one), near = push(estimate - 0.01, one), below = push(estimate + 1, one);
  EXPECT_NEAR(far.value, 0.5, 1e-5);
  EXPECT_NEAR(near.value, 0.01 * 0.01 / 2, 1e-6);
  EXPECT_GT(far.gradient, 0);
  EXPECT_NEAR(near.gradient / far.gradient, 0.01, 1e-4) << "the push is proportional to the excess";
  EXPECT_EQ(below.value, 0.0);
  EXPECT_EQ(below.gradient, 0.0);
  EXPECT_EQ(push(estimate - 1, zero).gradient, 0.0);
}

TEST(InfoScissors, SimultaneousUpdateFollowsTheLikelihoodAlone) {
  Golden golden;
  auto options = golden.options(0.5, 0.0);
  options.update = "simultaneous";
  options.psi_steps = 1;
  options.psi_optimizer = "sgd";
  options.psi_rate = 0.1;
  const auto defense = golden.defense(options);
  const auto weight = defense->modules().at("psi")->parameters()[0];
  const auto before = weight.clone();
  defense->update_adversary(golden.step);
  EXPECT_TRUE(weight.equal(before)) << "nothing moves before the penalty";
  defense->penalty(golden.step);
  EXPECT_TRUE(weight.equal(before)) << "nor before the main step is done";
  defense->finish_step();

  const auto alternating = golden.options(0.5, 0.0);
  auto twin_options = alternating;
  twin_options.psi_steps = 1;
  twin_options.psi_optimizer = "sgd";
  twin_options.psi_rate = 0.1;
  const auto twin = golden.defense(twin_options);
  twin->update_adversary(golden.step);
  EXPECT_TRUE(torch::allclose(weight, twin->modules().at("psi")->parameters()[0], 1e-5, 1e-7));
}

TEST(InfoScissors, FloorGuardAndWarmupStopThePush) {
  Golden golden;
  auto floored = golden.options(0.5, 0.0);
  floored.input_floor = 100;
  auto penalty = golden.defense(floored)->penalty(golden.step);
  penalty.backward();
  EXPECT_EQ(golden.step.representation.grad().abs().max().item<float>(), 0.0F);

  auto guarded = golden.options(0.5, 0.2);
  guarded.guard = 0.9;
  EXPECT_EQ(golden.defense(guarded)->penalty(golden.step).item<float>(), 0.0F)
      << "cross-entropy 1.0 is above the guard";
  guarded.guard = 1.1;
  EXPECT_NE(golden.defense(guarded)->penalty(golden.step).item<float>(), 0.0F);

  auto warming = golden.options(0.5, 0.2);
  warming.warmup = 4;
  const auto defense = golden.defense(warming);
  EXPECT_NEAR(defense->task_weight(golden.step), 1 - 0.7 / 4, 1e-12);
  golden.step.epoch = 8;
  EXPECT_NEAR(defense->task_weight(golden.step), 0.3, 1e-12);
}

TEST(InfoScissors, RefusesWeightsOutsideTheirRange) {
  EXPECT_THROW(make_defense("infoscissors(input=1)"), base::UsageError);
  EXPECT_THROW(make_defense("infoscissors(input=-0.1)"), base::UsageError);
  EXPECT_THROW(make_defense("infoscissors(input=0.5,prediction=0.5)"), base::UsageError);
  EXPECT_THROW(make_defense("infoscissors(inptu=0.5)"), base::UsageError);
  EXPECT_THROW(make_defense("infoscissor(input=0.5)"), base::UsageError);
  EXPECT_EQ(canonical_defense(" infoscissors( input = 0.50 , psi=conv ) + none "), "infoscissors(input=0.5)");
  EXPECT_EQ(canonical_defense(""), "none");
}

}  // namespace
}  // namespace infoscissors::defense
