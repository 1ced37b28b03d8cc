#include "infoscissors/defense/clusters.h"
#include "infoscissors/defense/nopeek.h"
#include "infoscissors/nn/initialise.h"

#include "tests/defense/support.h"

#include <gtest/gtest.h>

namespace infoscissors::defense {
namespace {

using tests::generator;
using tests::golden;
using tests::labels_of;
using tests::tensor_of;

TEST(Nopeek, DistanceCorrelationAndGradientEqualNumPy) {
  const auto entry = golden("nopeek");
  const auto a = tensor_of(entry.at("a"));
  auto b = tensor_of(entry.at("b")).requires_grad_();
  const auto value = distance_correlation(a, b);
  EXPECT_NEAR(value.item<double>(), entry.at("value").get<double>(), 1e-5);
  value.backward();
  EXPECT_TRUE(torch::allclose(b.grad(), tensor_of(entry.at("gradient")), 1e-3, 1e-5));
}

TEST(Nopeek, DistanceCorrelationOfSpecialCases) {
  const auto a = torch::rand({20, 3}, generator(1));
  EXPECT_NEAR(distance_correlation(a, 3 * a - 1).item<double>(), 1, 1e-5) << "similar point sets";
  auto constant = torch::ones({20, 4}).requires_grad_();
  const auto value = distance_correlation(a, constant);
  EXPECT_LT(value.item<double>(), 0.01);
  value.backward();
  EXPECT_TRUE(constant.grad().isfinite().all().item<bool>()) << "a silent head must not end training";
}

TEST(Nopeek, WeighsInputAndPredictionSeparately) {
  const auto entry = golden("nopeek");
  Step step;
  step.images = tensor_of(entry.at("a"));
  step.labels = labels_of(entry.at("labels"));
  step.representation = tensor_of(entry.at("b"));
  step.feature = tensor_of(entry.at("b"));
  const double input = entry.at("value"), prediction = entry.at("label_value");
  const auto penalty = [&](const std::string& spec) {
    return tests::make(spec, {1, 3, 3})->penalty(step).item<double>();
  };
  EXPECT_NEAR(penalty("nopeek(weight=2)"), 2 * input, 1e-5);
  EXPECT_NEAR(penalty("nopeek(weight=2,site=feature)"), 2 * prediction, 1e-5);
  EXPECT_NEAR(penalty("nopeek(weight=2,site=both)"), 2 * (input + prediction), 1e-5);
}

/// A mid defence whose maps have the weights of golden_baselines.py.
DefensePtr golden_mid(const base::Json& entry, double beta) {
  const auto defense = tests::make(fmt::format("mid(beta={})", beta), {2, 3, 3});
  std::map<std::string, torch::Tensor> state;
  for (const char* map : {"mean", "log_variance"}) {
    for (const char* part : {"weight", "bias"}) {
      state[fmt::format("{}.module.{}", map, part)] = tensor_of(entry.at(fmt::format("{}_{}", map, part)));
    }
  }
  nn::load_state(*defense->modules().at("0.representation"), state);
  return defense;
}

TEST(Mid, DivergenceEqualsPyTorch) {
  const auto entry = golden("mid");
  const auto defense = golden_mid(entry, 0.25);
  auto draw = generator(1);
  defense->release(tensor_of(entry.at("r")), Site::representation, Phase::train, draw, {});
  EXPECT_NEAR(defense->penalty({}).item<double>(), 0.25 * entry.at("divergence").get<double>(), 1e-4);
  EXPECT_NEAR(defense->end_epoch().values.at("mid_nats_representation"), entry.at("divergence").get<double>(), 1e-4);
}

// Mean and deviation of every element over 20,000 releases; four standard errors at a fixed seed.
TEST(Mid, ReleasesADrawInEveryPhase) {
  const auto entry = golden("mid");
  const auto defense = golden_mid(entry, 0.25);
  const std::int64_t count = 20000;
  const auto r = tensor_of(entry.at("r")).slice(0, 0, 1).expand({count, 2, 3, 3});
  for (const auto phase : {Phase::train, Phase::evaluate, Phase::serve}) {
    const torch::NoGradGuard no_grad;
    auto draw = generator(6);
    const auto released = defense->release(r, Site::representation, phase, draw, {});
    const auto deviation = tensor_of(entry.at("deviation"))[0];
    const auto misses = (released.mean(0) - tensor_of(entry.at("mean"))[0]).abs() / deviation;
    EXPECT_LT(misses.max().item<double>(), 4 / std::sqrt(count));
    EXPECT_LT((released.std(0) / deviation - 1).abs().max().item<double>(), 4 / std::sqrt(2.0 * count));
  }
}

TEST(Mid, StartsAsTheIdentityWithALittleNoise) {
  auto draw = generator(1);
  const auto v = torch::randn({200, 5}, draw);
  const auto defense = tests::make("mid(site=feature)", {2, 3, 3});
  const auto noise = defense->release(v, Site::feature, Phase::serve, draw, {}) - v;
  EXPECT_NEAR(noise.std().item<double>(), std::exp(-2.5), 0.01);
  EXPECT_EQ(defense->trained_parameters().size(), 4U);
  const auto r = torch::rand({2, 2, 3, 3}, draw);
  EXPECT_TRUE(defense->release(r, Site::representation, Phase::serve, draw, {}).equal(r));
}

/// Clusters after two epochs over the batches of golden_baselines.py.
Clusters golden_clusters(const base::Json& entry) {
  Clusters clusters(entry.at("classes"), entry.at("per_class"), 4, torch::kCPU);
  for (int epoch = 0; epoch < 2; ++epoch) {
    for (const auto& batch : entry.at("batches")) {
      clusters.observe(tensor_of(batch.at("samples")), labels_of(batch.at("labels")));
    }
    clusters.end_epoch();
  }
  return clusters;
}

TEST(Cem, ClustersEqualNumPy) {
  const auto entry = golden("cem");
  const auto clusters = golden_clusters(entry);
  EXPECT_TRUE(torch::allclose(clusters.centres(), tensor_of(entry.at("centres")), 1e-4, 1e-5));
  EXPECT_TRUE(clusters.counts().equal(tensor_of(entry.at("counts"))));
  EXPECT_TRUE(torch::allclose(clusters.variances(), tensor_of(entry.at("variances")), 1e-4, 1e-5));
}

TEST(Cem, PenaltyEqualsNumPy) {
  const auto entry = golden("cem");
  auto batch = tensor_of(entry.at("batch")).requires_grad_();
  const auto value = cluster_entropy(golden_clusters(entry), batch, labels_of(entry.at("batch_labels")),
                                     {.scale = entry.at("scale").get<double>()});
  EXPECT_NEAR(value.item<double>(), entry.at("penalty").get<double>(), 1e-5);
  value.backward();
  EXPECT_TRUE(batch.grad().isfinite().all().item<bool>());
  EXPECT_GT(batch.grad().abs().max().item<float>(), 0);
}

TEST(Cem, PushesOnlyTheSpreadThatTheNoiseDoesNotHide) {
  Clusters clusters(1, 1, 4, torch::kCPU);
  const auto labels = torch::zeros({6}, torch::kInt64);
  const auto samples = torch::randn({6, 4}, generator(2));
  clusters.observe(samples, labels);
  clusters.end_epoch();
  EXPECT_GT(cluster_entropy(clusters, samples, labels, {.scale = 0.1}).item<double>(), 1);
  EXPECT_EQ(cluster_entropy(clusters, samples, labels, {.scale = 10}).item<double>(), 0);
}

TEST(Cem, WaitsForTheFirstEpochAndThenReachesTheHead) {
  const auto defense = tests::make("cem(clusters=2,scale=0.1)", {2, 3, 3});
  Step step;
  step.labels = torch::tensor({0, 1, 2, 0, 1, 2});
  for (int epoch = 0; epoch < 2; ++epoch) {
    auto draw = generator(epoch);
    auto r = torch::rand({6, 2, 3, 3}, draw).requires_grad_();
    step.representation = defense->release(r, Site::representation, Phase::train, draw, {});
    EXPECT_NEAR((step.representation - r).std().item<double>(), 0.1, 0.03);
    defense->update_adversary(step);
    const auto penalty = defense->penalty(step);
    EXPECT_EQ(penalty.defined(), epoch == 1);
    if (penalty.defined()) {
      EXPECT_GT(torch::autograd::grad({penalty}, {r}).front().abs().max().item<float>(), 0);
    }
    EXPECT_EQ(defense->end_epoch().values.count("cem_nats"), epoch == 1 ? 1U : 0U);
  }
}

TEST(Cem, ItsWeightIsCoupledToTheLearningRate) {
  const auto penalty_at = [](const std::string& spec, double rate) {
    const auto defense = tests::make(spec, {2, 3, 3});
    Step step;
    step.labels = torch::tensor({0, 1, 2, 0, 1, 2});
    step.rate = rate;
    torch::Tensor penalty;
    for (int epoch = 0; epoch < 2; ++epoch) {
      auto draw = generator(epoch);
      defense->release(torch::rand({6, 2, 3, 3}, draw), Site::representation, Phase::train, draw, {});
      defense->update_adversary(step);
      penalty = defense->penalty(step);
      defense->end_epoch();
    }
    return penalty.item<double>();
  };
  const double full = penalty_at("cem(clusters=2,full_rate=0)", 0.05);
  EXPECT_GT(full, 0);
  EXPECT_NEAR(penalty_at("cem(clusters=2)", 0.05) / full, 1e-4 / 0.05, 1e-8);
  EXPECT_NEAR(penalty_at("cem(clusters=2)", 8e-5), full, 1e-6);
}

}  // namespace
}  // namespace infoscissors::defense
