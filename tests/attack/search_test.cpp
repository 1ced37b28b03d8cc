#include "infoscissors/attack/prior.h"
#include "infoscissors/attack/rmle.h"
#include "infoscissors/base/error.h"
#include "infoscissors/nn/layer.h"
#include "infoscissors/tensor/device.h"
#include "tests/attack/golden.h"
#include "tests/attack/toy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace infoscissors::attack {
namespace {

TEST(Prior, ImagesAndObjectiveEqualPyTorch) {
  const auto file = golden("prior.json");
  const auto tensor = [&](const char* name) { return golden_tensor(file.at(name)); };
  std::vector<torch::Tensor> weights;
  for (const auto& entry : file.at("weights")) weights.push_back(golden_tensor(entry));
  const auto images = prior_images({.channels = 1, .height = 7, .width = 6, .hidden = 3}, tensor("noise"), weights);
  EXPECT_TRUE(torch::allclose(images, tensor("images"), 1e-4, 1e-6));
  const auto represent = [&](const torch::Tensor& x) { return torch::conv2d(x, tensor("head"), {}, 1, 1); };
  const auto objective =
      rmle_objective(images, represent, tensor("target"), file.at("tv").get<double>(), file.at("l2").get<double>());
  EXPECT_TRUE(torch::allclose(objective, tensor("objective"), 1e-4));
}

// A generator for each image: another image's weights have no gradient from this one's objective.
TEST(Prior, GeneratorsShareNothingButTheNoise) {
  const PriorShape shape{.channels = 2, .height = 8, .width = 8, .hidden = 4};
  const auto generator = tensor::make_generator(torch::kCPU, 1, "test");
  const auto noise = prior_noise(shape, generator);
  auto weights = prior_weights(shape, 3, generator);
  for (auto& weight : weights) weight.requires_grad_(true);
  const auto images = prior_images(shape, noise, weights);
  EXPECT_EQ(images.sizes().vec(), (std::vector<std::int64_t>{3, 2, 8, 8}));
  for (const auto& gradient : torch::autograd::grad({images[1].sum()}, weights)) {
    EXPECT_TRUE(gradient[0].eq(0).all().item<bool>() && gradient[2].eq(0).all().item<bool>());
  }
  std::vector<torch::Tensor> second;
  for (const auto& weight : weights) second.push_back(weight.slice(0, 1, 2));
  EXPECT_TRUE(torch::allclose(prior_images(shape, noise, second)[0], images[1], 1e-4, 1e-5));
}

// One random head: shows that the search converges, not how it fares behind a trained network.
TEST(Prior, RecoversTheInputsOfAnUndefendedHead) {
  const Toy toy;
  const auto outcome = run("prior(steps=400,width=8)", toy.white_box(4));
  EXPECT_GT(similarity(outcome.reconstructions, toy.truth(4)), 0.8);
}

/// Steep sigmoids at three places: an encoder that tells apart just where r lies between them.
class Thresholds : public nn::Layer {
 public:
  torch::Tensor forward(const torch::Tensor& r) override {
    return torch::sigmoid(15 * (r.flatten(1) - torch::tensor({-0.4, 0.1, 1.0})));
  }
};

/// One pixel x behind r = 2.4 x - 0.8. The class is the interval of r between the encoder's thresholds, and these lie
/// unevenly, so that the right line alone classifies.
NoQueryView pixels_on_a_line(std::int64_t attacked) {
  const auto generator = tensor::make_generator(torch::kCPU, 31, "test");
  const auto images = torch::rand({600 + attacked, 1, 1, 1}, generator);
  const auto head = [](const torch::Tensor& x) { return 2.4 * x - 0.8; };
  const auto r = head(images);
  const auto labels = r.gt(-0.4).to(torch::kInt64) + r.gt(0.1).to(torch::kInt64) + r.gt(1.0).to(torch::kInt64);
  NoQueryView view;
  view.encoder = {std::make_shared<Thresholds>(), {1, 1, 1}, {3}};
  view.auxiliary = {images.slice(0, attacked), labels.flatten().slice(0, attacked)};
  view.representations = r.slice(0, 0, attacked);
  view.features = view.encoder.forward(view.representations);
  view.image = {1, 1, 1};
  view.classes = 4;
  view.seed = 2;
  return view;
}

TEST(QueryFree, TheShadowOfALinearHeadRecoversIt) {
  const auto view = pixels_on_a_line(50);
  const auto truth = (view.representations + 0.8) / 2.4;
  const auto outcome = run("query-free(shadow=linear,labels=600,epochs=80,shadow_rate=3e-2,steps=400)", view);
  const auto error = (outcome.reconstructions - truth).abs();
  EXPECT_LT(error.mean().item<double>(), 0.05);  // a guess without r is off by 0.25
  EXPECT_EQ(outcome.details.at("labels").get<int>(), 600);
}

TEST(QueryFree, MatchesTheChannelsStatisticsWhereAsked) {
  const Toy toy;
  const auto run_with = [&](const char* match) {
    return run(std::string("query-free(labels=128,epochs=30,steps=200,starts=1,match=") + match + ")",
               toy.view<NoQueryView>());
  };
  const auto plain = run_with("0"), matched = run_with("3");
  EXPECT_GT(similarity(matched.reconstructions, toy.truth()), similarity(plain.reconstructions, toy.truth()));
}

}  // namespace
}  // namespace infoscissors::attack
