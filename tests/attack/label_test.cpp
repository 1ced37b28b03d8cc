#include "infoscissors/attack/amc.h"
#include "infoscissors/attack/assignment.h"
#include "infoscissors/attack/kmeans.h"
#include "infoscissors/attack/neighbours.h"
#include "infoscissors/attack/semi.h"
#include "infoscissors/base/error.h"
#include "infoscissors/metric/classification.h"
#include "infoscissors/nn/decoder.h"
#include "infoscissors/nn/initialise.h"
#include "infoscissors/nn/optimizer.h"
#include "infoscissors/tensor/device.h"
#include "tests/attack/golden.h"
#include "tests/attack/toy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace infoscissors::attack {
namespace {

using Labels = std::vector<std::int64_t>;

torch::Tensor as_tensor(const Labels& values) {
  return torch::tensor(values, torch::kInt64);
}

Generator seeded(std::uint64_t seed) {
  return tensor::make_generator(torch::kCPU, seed, "test");
}

TEST(Knn, VotesAsBruteForceInNumpy) {
  const auto file = golden("knn.json");
  const auto rows = golden_tensor(file.at("rows")), labelled = golden_tensor(file.at("labelled"));
  const auto labels = as_tensor(file.at("labels").get<Labels>());
  for (const char* metric : {"euclidean", "cosine"}) {
    for (const auto& [k, expected] : file.at("found").at(metric).items()) {
      const auto found = vote(distances(rows, labelled, metric), labels, std::stoll(k), 4);
      EXPECT_TRUE(torch::equal(found, as_tensor(expected.get<Labels>()))) << metric << " " << k;
    }
  }
}

TEST(Knn, ChoosesTheNumberOfNeighboursByLeavingOneOut) {
  const Toy toy;
  const auto outcome = run("knn(labels=24,neighbours=0)", toy.black_box(64));
  EXPECT_GT(metric::accuracy(outcome.predictions, toy.classes(64)), 0.75);  // chance is 0.25
  EXPECT_GT(outcome.details.at("validation_accuracy").get<double>(), 0.75);
  EXPECT_EQ(outcome.details.at("neighbours").get<int>() % 2, 1);
}

TEST(Assignment, IsTheCheapest) {
  EXPECT_EQ(assign_rows({{4, 1, 3}, {2, 0, 5}, {3, 2, 2}}), (Labels{1, 0, 2}));  // 1 + 2 + 2
  for (const auto& one : golden("assignment.json")) {
    EXPECT_EQ(assign_rows(one.at("cost").get<std::vector<std::vector<double>>>()), one.at("columns").get<Labels>());
  }
  EXPECT_THROW(assign_rows({{1}, {2}}), base::Error);
}

TEST(KMeans, FindsClustersThatAreFarApart) {
  const auto centres = torch::tensor({-10.0, 0.0, 0.0, 10.0, 10.0, -5.0}).view({3, 2});
  const auto truth = torch::arange(90).remainder(3);
  const auto points = centres.index_select(0, truth) + torch::randn({90, 2}, seeded(1));
  const auto found = k_means(points, 3, 50, 4, seeded(2));
  const auto own = [&](std::int64_t k) { return found.assigned.index({truth.eq(k)}); };
  for (std::int64_t k = 0; k < 3; ++k) {
    EXPECT_TRUE(own(k).eq(own(k)[0]).all().item<bool>());
    const auto mean = points.index({truth.eq(k)}).mean(0);
    EXPECT_TRUE(torch::allclose(found.centres[own(k)[0].item<std::int64_t>()], mean, 1e-4, 1e-4));
  }
  const auto apart = points - found.centres.index_select(0, found.assigned);
  EXPECT_NEAR(found.inertia, apart.square().sum().item<double>(), 1e-2);
  EXPECT_THROW(k_means(points.slice(0, 0, 2), 3, 5, 1, seeded(1)), base::Error);
  EXPECT_EQ(k_means(torch::ones({5, 2}), 3, 5, 1, seeded(1)).inertia, 0);  // fewer different points than clusters
}

/// An encoder that hands out its input, so that a test can lay the features out.
BlackBoxView laid_out(const torch::Tensor& known, const torch::Tensor& labels, const torch::Tensor& received,
                      std::int64_t classes) {
  BlackBoxView view;
  const auto shape = known.sizes().slice(1).vec();
  view.encoder = {std::make_shared<nn::Sequence>(), shape, shape};
  view.representations = view.features = received;
  view.auxiliary = {known, labels};
  view.query = [](const torch::Tensor& images) { return images; };
  view.image = shape;
  view.classes = classes;
  view.seed = 1;
  return view;
}

// Clusters at -9, 0 and 9 on a line. Cluster 9 holds labels {1, 1, 2}, cluster 0 {1, 1, 1, 0}, cluster -9 {0}: by
// majority classes 1 and 1 would name two clusters, one to one the three labels of class 1 at 0 outweigh the two at 9.
TEST(Cluster, MatchesClustersToClassesOneToOne) {
  const auto known = torch::tensor({9.0, 9.1, 8.9, 0.0, 0.1, -0.1, 0.05, -9.0}).view({8, 1});
  const auto labels = as_tensor({1, 1, 2, 1, 1, 1, 0, 0});
  const auto received = torch::tensor({-8.8, 0.2, 9.2, -9.2, -0.2, 8.8}).view({6, 1});
  const auto outcome = run("cluster(labels=8)", laid_out(known, labels, received, 3));
  EXPECT_TRUE(torch::equal(outcome.predictions, as_tensor({0, 1, 2, 0, 1, 2})));
  EXPECT_DOUBLE_EQ(outcome.details.at("labelled_right").get<double>(), 5.0 / 8);
  // With a cluster more than classes the one in excess is named by what it holds.
  const auto more = run("cluster(labels=8,clusters=4,starts=20)", laid_out(known, labels, received, 3));
  EXPECT_EQ(more.predictions[0].item<int>(), 0);
  EXPECT_EQ(more.predictions.size(0), 6);
}

TEST(Amc, TheFactorIsItsFormula) {
  const auto now = torch::tensor({1.0, 2.0, -3.0, 100.0, 0.0, 0.5, 2.0});
  const auto before = torch::tensor({1.0, 4.0, 1.0, 1.0, 1.0, -0.5, 0.0});
  const auto expected = torch::tensor({2.0, 1.5, 1.0, 5.0, 1.0, 1.0, 5.0});
  EXPECT_TRUE(torch::allclose(malicious_factor(now, before, 1, 5), expected, 1e-6));
  const auto attack = registry().make(base::parse_spec("amc(most=3)"));
  const auto active = std::get<std::shared_ptr<const ActiveAttack>>(attack);
  EXPECT_TRUE(torch::equal(active->factor(now, before), malicious_factor(now, before, 1, 3)));
  const auto training = [](const char* spec) {
    return std::get<std::shared_ptr<const ActiveAttack>>(registry().make(base::parse_spec(spec)))->training();
  };
  EXPECT_EQ(training("amc(labels=20)"), training("amc(head=mlp-sim)")) << "the same network serves both";
  EXPECT_NE(training("amc"), training("amc(most=3)"));
  EXPECT_THAT(message_of([] { registry().make(base::parse_spec("amc(least=4,most=2)")); }),
              testing::HasSubstr("least must be <= most"));
}

TEST(Semi, SharpensAndScoresAsPyTorch) {
  const auto file = golden("mixmatch.json");
  const auto tensor = [&](const char* name) { return golden_tensor(file.at(name)); };
  EXPECT_TRUE(torch::allclose(sharpen(tensor("probabilities"), file.at("temperature").get<double>()),
                              tensor("sharpened"), 1e-5, 1e-7));
  const auto loss = mixmatch_loss(tensor("logits"), tensor("targets"), file.at("labelled").get<std::int64_t>(),
                                  file.at("weight").get<double>());
  EXPECT_TRUE(torch::allclose(loss, tensor("loss"), 1e-5));
  EXPECT_EQ(ramp_up(0, 200), 0);
  EXPECT_DOUBLE_EQ(ramp_up(50, 200), 0.25);
  EXPECT_EQ(ramp_up(300, 200), 1);
}

// Beta(a, a) has variance 1 / (4 (2 a + 1)) around 1/2, which folding to the upper half leaves as the second moment.
TEST(Semi, SharesAreDrawnFromTheFoldedBeta) {
  const auto generator = seeded(5);
  double second = 0;
  constexpr int kDraws = 20000;
  for (int i = 0; i < kDraws; ++i) {
    const double share = mixing_share(0.75, generator);
    ASSERT_TRUE(share >= 0.5 && share <= 1);
    second += (share - 0.5) * (share - 0.5) / kDraws;
  }
  EXPECT_NEAR(second, 0.1, 0.003);  // five standard errors
}

// One label a class, both away from their clusters' centres along the direction that tells nothing. One seed: shows
// that unlabelled features are used, not by how much they help.
TEST(Semi, UsesTheUnlabelledFeatures) {
  const auto truth = torch::arange(400).remainder(2);
  const auto across = (truth * 2 - 1).to(torch::kFloat32) + 0.15 * torch::randn({400}, seeded(6));
  const auto unlabelled = torch::stack({across, torch::randn({400}, seeded(7))}, 1);
  const auto features = torch::tensor({-1.0, 0.8, 1.0, -0.8}).view({1, 2, 2}), labels = as_tensor({0, 1});
  const auto accuracy = [&](const auto& train) {
    const auto head = nn::make_mlp(2, 16, 2, 3);
    nn::initialise(*head, seeded(8));
    train(*head);
    return metric::accuracy(head->forward(unlabelled).argmax(1), truth);
  };
  int looks = 0;
  const double semi = accuracy([&](nn::Layer& head) {
    SemiOptions options;
    options.consistency = 5;
    options.jitter = 0;
    fit_semi(head, features, labels, 2, unlabelled, 3e-3, 0, 400, options, seeded(9), 100, [&](auto) { ++looks; });
  });
  const double supervised = accuracy([&](nn::Layer& head) {
    nn::Optimizer optimizer(head.parameters(), {.rule = nn::Rule::adam});
    for (int i = 0; i < 400; ++i) {
      optimizer.zero_grad();
      torch::cross_entropy_loss(head.forward(features[0]), labels).backward();
      optimizer.step(3e-3);
    }
  });
  EXPECT_EQ(looks, 4);
  EXPECT_GT(semi, supervised + 0.03);
}

TEST(Semi, TheBetterHeadByCrossValidationPredicts) {
  const Toy toy;
  const auto view = toy.black_box(64);
  const auto plain = run("pmc(labels=12,steps=100)", view);
  const auto semi = run("pmc(labels=12,steps=100,semi=true,semi_steps=100)", view);
  const auto loss = [](const Outcome& o) { return o.details.at("validation_cross_entropy").get<double>(); };
  EXPECT_GT(metric::accuracy(semi.predictions, toy.classes(64)), 0.9);
  if (semi.details.at("semi_won").get<bool>()) {
    EXPECT_LT(loss(semi), loss(plain));
  } else {
    EXPECT_EQ(loss(semi), loss(plain));
    EXPECT_TRUE(torch::equal(semi.predictions, plain.predictions));
  }
}

// v tells nothing but r does, or the other way round: the combined attacker finds out from its own labels alone.
TEST(CombinedLabel, UsesWhicheverTensorTells) {
  const Toy toy;
  const char* spec = "combined-label(labels=24,steps=100,pool=4)";
  auto view = toy.black_box(64);
  EXPECT_GT(metric::accuracy(run(spec, view).predictions, toy.classes(64)), 0.9);
  view.features = torch::zeros_like(view.features);
  view.release_feature = [](const torch::Tensor& v) { return torch::zeros_like(v); };
  EXPECT_GT(metric::accuracy(run(spec, view).predictions, toy.classes(64)), 0.9);
  EXPECT_LT(metric::accuracy(run("pmc(labels=24,steps=100)", view).predictions, toy.classes(64)), 0.5);
}

// The same labelled and attacked inputs through a noise on v: what the server perturbs is perturbed in its training
// too.
TEST(Pmc, TrainsOnFeaturesAsTheyAreReturned) {
  const Toy toy;
  auto view = toy.black_box(64);
  const auto flip = [](const torch::Tensor& v) { return v.flip({1}) * 3 + 1; };
  view.release_feature = flip;
  view.features = flip(view.features);
  EXPECT_GT(metric::accuracy(run("pmc(labels=24,steps=100)", view).predictions, toy.classes(64)), 0.9);
}

}  // namespace
}  // namespace infoscissors::attack
