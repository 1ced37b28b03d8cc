#include "infoscissors/attack/rmle.h"

#include "infoscissors/attack/search.h"
#include "infoscissors/nn/backbone.h"
#include "infoscissors/nn/initialise.h"
#include "infoscissors/tensor/device.h"
#include "tests/attack/toy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/nn/modules/conv.h>

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
  const auto spec = fmt::format("rmle(starts=1,steps={},rate={},tv={},l2={})", golden.number("steps"),
                                golden.number("rate"), golden.number("tv"), golden.number("l2"));
  const auto outcome = run(spec, golden.view());
  EXPECT_EQ(outcome.details.at("dead_channels").get<int>(), 1);
  EXPECT_TRUE(torch::allclose(outcome.reconstructions, golden.tensor("images_after_steps"), 0, 2e-5));
}

// One random head: shows that the search converges, not how it fares behind a trained network.
TEST(Rmle, RecoversTheInputsOfAnUndefendedHead) {
  for (const std::int64_t channels : {1, 3}) {
    const Toy toy(channels);
    const auto outcome = run("rmle(steps=400,starts=2)", toy.white_box());
    ASSERT_EQ(outcome.reconstructions.sizes(), toy.truth().sizes());
    EXPECT_GE(outcome.reconstructions.min().item<double>(), 0);
    EXPECT_LE(outcome.reconstructions.max().item<double>(), 1);
    EXPECT_GT(similarity(outcome.reconstructions, toy.truth()), 0.9) << channels;
  }
}

/// A head that is silent at mid-grey: its kernels see the difference to an even 0.45, without a border that would let a
/// gradient in from the side.
WhiteBoxView silent_at_grey(const torch::Tensor& truth) {
  const torch::NoGradGuard no_grad;
  torch::nn::Conv2d conv(torch::nn::Conv2dOptions(1, 12, 3));
  nn::initialise(*conv, tensor::make_generator(torch::kCPU, 2, "silent"));
  conv->bias.copy_(-0.5 * conv->weight.sum({1, 2, 3}) - 0.02);
  auto layer = std::make_shared<nn::Sequence>();
  layer->append("conv", nn::wrap(conv));
  layer->append("relu", nn::relu());
  for (auto& parameter : layer->parameters()) parameter.set_requires_grad(false);
  WhiteBoxView view;
  view.image = truth.sizes().slice(1).vec();
  view.representations = layer->forward(truth);
  view.head = {layer, view.image, view.representations.sizes().slice(1).vec()};
  view.seed = 3;
  return view;
}

TEST(Rmle, AnotherStartMovesWhereTheFirstIsSilent) {
  const auto truth = Toy().truth(6);
  const auto view = silent_at_grey(truth);
  const auto stuck = run("rmle(starts=1,steps=300)", view);
  EXPECT_TRUE(torch::equal(stuck.reconstructions, torch::full_like(truth, 0.5)));
  const auto moved = run("rmle(starts=3,steps=600)", view);
  EXPECT_LT(moved.details.at("objective").get<double>(), 0.01 * stuck.details.at("objective").get<double>());
  EXPECT_EQ(moved.details.at("first_start_won").get<double>(), 0);
  EXPECT_GT(similarity(moved.reconstructions, truth), similarity(stuck.reconstructions, truth) + 0.4);
}

// One parameter an image, objective (x - 1)^2 (x - 1/5)^2 + owner-dependent tilt: two basins, known which is lower.
TEST(Search, KeepsForEachImageTheStartWithTheLowestObjective) {
  const Parametrisation two{[](std::int64_t start, std::int64_t count) {
                              return std::vector{torch::full({count, 1}, start == 0 ? 0.1 : 0.9)};
                            },
                            [](const std::vector<torch::Tensor>& p) { return p.front(); },
                            {}};
  const auto tilt = torch::tensor({0.5, -0.5});
  const auto objective = [&](const torch::Tensor& x, const torch::Tensor& owner) {
    const auto basins = 25 * (x - 0.2).square() * (x - 0.8).square();
    return (basins + 0.1 * tilt.index_select(0, owner).unsqueeze(1) * x).sum(1) + 0.1;
  };
  const auto found = search("test", two, objective, 2, {.steps = 400, .starts = 2});
  EXPECT_TRUE(torch::equal(found.start, torch::tensor(std::vector<std::int64_t>{0, 1})));
  EXPECT_LT(found.images[0].item<double>(), 0.3);
  EXPECT_GT(found.images[1].item<double>(), 0.7);
  EXPECT_LT(found.steps, 400);
}

// Candidates share nothing but the step count: giving one up leaves the others' paths as they were.
TEST(Search, ACandidateIsNotDisturbedByItsCompany) {
  const Parametrisation lines{[](std::int64_t start, std::int64_t count) {
                                return std::vector{torch::full({count, 1}, start == 0 ? 0.0 : 0.7)};
                              },
                              [](const std::vector<torch::Tensor>& p) { return p.front(); },
                              {}};
  const auto objective = [](const torch::Tensor& x, const torch::Tensor&) {
    return torch::relu(x).sub(1).square().sum(1) + 0.01;  // silent at 0, as a ReLU is
  };
  const SearchOptions options{.steps = 60, .window = 10, .starts = 2};
  const auto both = search("test", lines, objective, 3, options);
  const Parametrisation second{
      [&](std::int64_t, std::int64_t count) { return lines.draw(1, count); }, lines.images, {}};
  const auto alone = search("test", second, objective, 3, {.steps = both.steps, .tolerance = 0, .window = 10});
  EXPECT_TRUE(torch::equal(both.images, alone.images));
  EXPECT_TRUE(both.start.eq(1).all().item<bool>());
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
