#include "infoscissors/metric/classification.h"
#include "tests/attack/toy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace infoscissors::attack {
namespace {

// Four classes that any linear map of the toy's features separates; chance is 0.25.
const std::vector<std::string> kSpecs = {"pmc(head=mlp,labels=24,steps=100)", "pmc(head=mlp-sim,labels=24,steps=100)",
                                         "scratch(labels=24,epochs=30,rate=5e-3)"};

TEST(PredictionAttacks, GetSeparableClassesRight) {
  const Toy toy;
  for (const auto& spec : kSpecs) {
    const auto outcome = run(spec, toy.black_box(64));
    ASSERT_EQ(outcome.predictions.scalar_type(), torch::kInt64) << spec;
    EXPECT_GT(metric::accuracy(outcome.predictions, toy.classes(64)), 0.95) << spec;
    EXPECT_EQ(outcome.details.at("labels").get<int>(), 24) << spec;
  }
}

TEST(PredictionAttacks, GiveTheSameForTheSameSeed) {
  const Toy toy;
  for (const auto& spec : kSpecs) {
    const auto first = run(spec, toy.black_box());
    const auto second = run(spec, toy.black_box());
    EXPECT_TRUE(torch::equal(first.predictions, second.predictions)) << spec;
    EXPECT_EQ(first.details, second.details) << spec;
  }
}

TEST(PredictionAttacks, TakeASingleInput) {
  const Toy toy;
  for (const auto& spec : kSpecs) {
    const auto predictions = run(spec, toy.black_box(1)).predictions;
    ASSERT_EQ(predictions.dim(), 1) << spec;
    EXPECT_EQ(predictions.size(0), 1) << spec;
  }
}

TEST(PredictionAttacks, GuessOneClassWhenNothingIsSent) {
  const Toy toy;
  const auto silence = [](const torch::Tensor& r) { return torch::zeros_like(r); };
  for (const auto& spec : kSpecs) {
    const auto predictions = run(spec, toy.black_box(16, silence)).predictions;
    ASSERT_EQ(predictions.size(0), 16) << spec;
    EXPECT_TRUE(predictions.eq(predictions[0]).all().item<bool>()) << spec;
  }
}

TEST(Pmc, IsBlindToTheScaleOfTheFeatures) {
  const Toy toy;
  auto view = toy.black_box(64);
  const auto plain = run(kSpecs[0], view).predictions;
  auto shrunk = std::make_shared<nn::Sequence>();
  shrunk->append("encoder", view.encoder.layer);
  shrunk->append("shrink", std::make_shared<nn::Function>([](const torch::Tensor& v) { return v * 0x1p-20; }));
  view.encoder.layer = shrunk;
  view.features = view.features * 0x1p-20;
  EXPECT_TRUE(torch::equal(plain, run(kSpecs[0], view).predictions));
}

TEST(Pmc, WhitenedSeesWhatBusyChannelsHide) {
  const Toy toy;
  auto view = toy.black_box(64);
  // One value for each quadrant, and on all four a signal that is a hundred times larger and tells nothing.
  const auto hide = [](const torch::Tensor& v) {
    const auto quadrants = torch::avg_pool2d(v.view({-1, 8, 4, 4}).mean(1, true), {2, 2}).flatten(1);
    return 0.01 * quadrants / quadrants.std() + (1e4 * v.sum(1, true)).sin();
  };
  auto hidden = std::make_shared<nn::Sequence>();
  hidden->append("encoder", view.encoder.layer);
  hidden->append("hide", std::make_shared<nn::Function>(hide));
  view.encoder = {hidden, view.encoder.input, {4}};
  view.features = hide(view.features);
  const auto accuracy = [&](const std::string& spec) {
    return metric::accuracy(run(spec, view).predictions, toy.classes(64));
  };
  EXPECT_LT(accuracy("pmc(head=mlp-sim,labels=100,steps=400)"), 0.6);
  EXPECT_GT(accuracy("pmc(head=mlp-sim,labels=100,steps=400,whiten=true)"), 0.9);
}

TEST(Pmc, ManagesWithOneLabelAClass) {
  const Toy toy;
  const auto outcome = run("pmc(labels=4,steps=50)", toy.black_box(64));
  EXPECT_GT(metric::accuracy(outcome.predictions, toy.classes(64)), 0.5);
  EXPECT_FALSE(outcome.details.contains("validation_cross_entropy"));  // nothing could be held out
}

}  // namespace
}  // namespace infoscissors::attack
