#include "infoscissors/attack/rmle.h"

#include "infoscissors/nn/backbone.h"
#include "tests/attack/toy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <vector>

namespace infoscissors::attack {
namespace {

struct Golden {
  base::Json document = base::read_json(std::filesystem::path(INFOSCISSORS_TEST_DATA) / "rmle.json");

  torch::Tensor tensor(const char* name) const {
    const auto& entry = document.at(name);
    return torch::tensor(entry.at("values").get<std::vector<float>>())
        .view(entry.at("shape").get<std::vector<std::int64_t>>());
  }
  double number(const char* name) const { return document.at(name).get<double>(); }

  WhiteBoxView view() const {
    const torch::NoGradGuard no_grad;
    auto layer = nn::conv_norm_relu(1, 4, 3, 1);
    for (auto& item : layer->named_parameters()) {
      if (item.value().dim() == 4) item.value().copy_(tensor("weight"));
      if (item.key().ends_with("bias")) item.value().copy_(tensor("shift"));
      item.value().set_requires_grad(false);
    }
    for (auto& item : layer->named_buffers()) {
      if (item.key().ends_with("running_mean")) item.value().copy_(tensor("mean"));
      if (item.key().ends_with("running_var")) item.value().copy_(tensor("variance"));
    }
    layer->eval();
    WhiteBoxView result;
    result.representations = tensor("received");
    result.image = tensor("truth").sizes().slice(1).vec();
    result.head = {layer, result.image, result.representations.sizes().slice(1).vec()};
    return result;
  }
};

TEST(Rmle, TotalVariationEqualsPyTorch) {
  const Golden golden;
  EXPECT_TRUE(torch::allclose(total_variation(golden.tensor("truth")), golden.tensor("variation"), 1e-5, 1e-8));
  EXPECT_TRUE(torch::equal(total_variation(torch::ones({3, 1, 1, 1})), torch::zeros(3)));
}

TEST(Rmle, ObjectiveEqualsPyTorch) {
  const Golden golden;
  const auto view = golden.view();
  const auto index = torch::tensor(std::vector<std::int64_t>{0, 1, 3});
  const auto target = view.representations.index_select(1, index);
  const auto scale = target.std({0, 2, 3}, false, true);
  const auto represent = [&](const torch::Tensor& x) { return view.head.forward(x).index_select(1, index) / scale; };
  const auto start = torch::full_like(golden.tensor("truth"), 0.5);
  const auto objective = rmle_objective(start, represent, target / scale, golden.number("tv"), golden.number("l2"));
  EXPECT_TRUE(torch::allclose(objective, golden.tensor("objective_at_start"), 1e-5, 1e-7));
}

TEST(Rmle, FirstAmsgradStepsEqualPyTorch) {
  const Golden golden;
  const auto spec = fmt::format("rmle(steps={},rate={},tv={},l2={})", golden.number("steps"), golden.number("rate"),
                                golden.number("tv"), golden.number("l2"));
  const auto outcome = run(spec, golden.view());
  EXPECT_EQ(outcome.details.at("dead_channels").get<int>(), 1);
  EXPECT_TRUE(torch::allclose(outcome.reconstructions, golden.tensor("images_after_steps"), 0, 2e-5));
}

// One random head: shows that the search converges, not how it fares behind a trained network.
TEST(Rmle, RecoversTheInputsOfAnUndefendedHead) {
  for (const std::int64_t channels : {1, 3}) {
    const Toy toy(channels);
    const auto outcome = run("rmle(steps=600)", toy.white_box());
    ASSERT_EQ(outcome.reconstructions.sizes(), toy.truth().sizes());
    EXPECT_GE(outcome.reconstructions.min().item<double>(), 0);
    EXPECT_LE(outcome.reconstructions.max().item<double>(), 1);
    EXPECT_GT(similarity(outcome.reconstructions, toy.truth()), 0.9) << channels;
  }
}

TEST(Rmle, StopsOnItsOwnPlateau) {
  const Toy toy;
  const auto outcome = run("rmle(steps=5000)", toy.white_box(4));
  EXPECT_LT(outcome.details.at("steps").get<int>(), 5000);
  EXPECT_GT(similarity(outcome.reconstructions, toy.truth(4)), 0.95);
  const auto all = run("rmle(steps=120,tolerance=0,window=1)", toy.white_box(4));
  EXPECT_EQ(all.details.at("steps").get<int>(), 120);
}

TEST(Rmle, AnImageIsOptimisedAsIfItWereAlone) {
  const Toy toy;
  const auto represent = [&](const torch::Tensor& x) { return toy.head.forward(x); };
  const auto target = toy.head.forward(toy.truth());
  const auto gradient = [&](std::int64_t count) {
    const auto images = torch::full_like(toy.truth(count), 0.4).requires_grad_(true);
    const auto objective = rmle_objective(images, represent, target.slice(0, 0, count), 0.5, 0.5);
    return torch::autograd::grad({objective.sum()}, {images})[0];
  };
  EXPECT_TRUE(torch::allclose(gradient(16).slice(0, 0, 1), gradient(1), 1e-4, 1e-9));
  EXPECT_GT(similarity(run("rmle(steps=600)", toy.white_box(1)).reconstructions, toy.truth(1)), 0.9);
}

TEST(Rmle, SeesThroughAShrunkenScale) {
  const Toy toy;
  // The device sends the shrunken r; the server knows how, for the defence's algorithm is no secret.
  const auto shrink = [](const torch::Tensor& r) { return r * 1e-4; };
  const auto outcome = run("rmle(steps=600,release=true)", toy.white_box(8, shrink));
  EXPECT_GT(similarity(outcome.reconstructions, toy.truth(8)), 0.9);
}

TEST(Rmle, SaysWhenTheDefenceHasNoGradient) {
  const Toy toy;
  const auto view = toy.white_box(4, [](const torch::Tensor& r) { return r.detach(); });
  EXPECT_THAT(message_of([&] { run("rmle(release=true)", view); }), testing::HasSubstr("set release to false"));
}

TEST(Rmle, StaysAtMidGreyWhenNothingIsSent) {
  const Toy toy;
  const auto view = toy.white_box(3, [](const torch::Tensor& r) { return torch::zeros_like(r); });
  EXPECT_TRUE(torch::equal(run("rmle", view).reconstructions, torch::full_like(toy.truth(3), 0.5)));
}

TEST(Rmle, GivesTheSameEveryTime) {
  const Toy toy;
  const auto once = [&] { return run("rmle(steps=40)", toy.white_box()).reconstructions; };
  EXPECT_TRUE(torch::equal(once(), once()));
}

}  // namespace
}  // namespace infoscissors::attack
