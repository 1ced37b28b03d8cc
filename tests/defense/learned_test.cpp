#include "infoscissors/nn/initialise.h"
#include "infoscissors/nn/optimizer.h"

#include "tests/defense/support.h"
#include "tests/support/expect_error.h"

#include <gtest/gtest.h>

namespace infoscissors::defense {
namespace {

using tests::generator;
using tests::golden;
using tests::tensor_of;

TEST(AdversarialNoise, StepsAgainstTheInversionNetwork) {
  const auto entry = golden("an_adv");
  const auto defense = tests::make("an-adv(decoder=linear,epsilon=0.2)", {2, 4, 4});
  const auto network = defense->modules().at("0.inversion");
  {
    const torch::NoGradGuard no_grad;
    for (auto& parameter : network->parameters()) {
      parameter.copy_(tensor_of(entry.at(parameter.dim() > 1 ? "weight" : "bias")));
    }
  }
  const auto r = tensor_of(entry.at("r")), x = tensor_of(entry.at("x"));
  const torch::NoGradGuard no_grad;  // as in evaluation
  auto draw = generator(1);
  const auto released = defense->release(r, Site::representation, Phase::serve, draw, x);
  EXPECT_TRUE(torch::allclose(released - r, 0.2 * tensor_of(entry.at("sign")), 1e-4, 1e-5));
  auto& layer = dynamic_cast<nn::Layer&>(*network);
  EXPECT_GT(torch::mse_loss(layer.forward(released), x).item<double>(),
            torch::mse_loss(layer.forward(r), x).item<double>());
  const auto alone = defense->release(r.slice(0, 0, 1), Site::representation, Phase::serve, draw, x.slice(0, 0, 1));
  EXPECT_TRUE(torch::allclose(alone, released.slice(0, 0, 1), 1e-5, 1e-6)) << "a sample's step is its own";
  const auto message = tests::message_of([&] { defense->release(r, Site::representation, Phase::serve, draw, {}); });
  EXPECT_NE(message.find("[an-adv]"), std::string::npos) << message;
}

TEST(AdversarialNoise, TheInversionNetworkLearnsOnWhatIsReleased) {
  const auto defense = tests::make("an-adv(rate=0.01,steps=5)", {2, 4, 4});
  Step step;
  auto draw = generator(3);
  step.images = torch::rand({16, 1, 4, 4}, draw);
  double first = 0, last = 0;
  for (int i = 0; i < 60; ++i) {
    step.representation = defense->release(torch::cat({step.images, 1 - step.images}, 1), Site::representation,
                                           Phase::train, draw, step.images);
    defense->update_adversary(step);
    last = defense->end_epoch().values.at("inversion_mse");
    if (i == 0) first = last;
  }
  EXPECT_LT(last, 0.7 * first);
}

/// A defence with one noise tensor, that of golden_baselines.py.
DefensePtr golden_shredder(const torch::Tensor& tensor) {
  const auto defense = tests::make("shredder(tensors=1)", {1, 3, 17});
  nn::load_state(*defense->modules().at("0.noise"), {{"values", tensor}});
  return defense;
}

// Each element's mean over 4,000 releases must rise with the learnt tensor's order, and all draws together must have
// the fitted distribution: four standard errors of 204,000 draws, which are not independent, so twice that.
TEST(Shredder, ServesFreshDrawsOfTheFitInTheLearntOrder) {
  const auto entry = golden("shredder");
  const auto tensor = tensor_of(entry.at("tensor"));
  const auto defense = golden_shredder(tensor);
  auto draw = generator(5);
  const torch::NoGradGuard no_grad;
  const auto noise =
      defense->release(torch::zeros({4000, 1, 3, 17}), Site::representation, Phase::serve, draw, {}).flatten(1);
  const auto order = tensor.flatten().argsort();
  const auto sorted = noise.index_select(1, order);
  EXPECT_TRUE((sorted.slice(1, 1) - sorted.slice(1, 0, -1)).ge(0).all().item<bool>());
  EXPECT_FALSE(noise[0].equal(noise[1]));
  const double location = entry.at("location"), spread = entry.at("spread");
  const auto centred = noise.to(torch::kFloat64) - location;
  EXPECT_NEAR(centred.abs().mean().item<double>() / spread, 1, 8 / std::sqrt(204000));
  EXPECT_NEAR(centred.gt(0).to(torch::kFloat64).mean().item<double>(), 0.5, 4 / std::sqrt(204000));
  EXPECT_NEAR(centred.abs().gt(3 * spread).to(torch::kFloat64).mean().item<double>(), std::exp(-3),
              8 * 0.22 / std::sqrt(204000));
}

TEST(Shredder, TrainsOnTheTensorsThemselves) {
  const auto tensor = tensor_of(golden("shredder").at("tensor"));
  const auto defense = golden_shredder(tensor);
  auto draw = generator(5);
  const auto r = torch::rand({2, 1, 3, 17}, draw);
  const auto released = defense->release(r, Site::representation, Phase::train, draw, {});
  EXPECT_TRUE(released.equal(r + tensor));
  const auto gradient = torch::autograd::grad({released.sum()}, defense->trained_parameters()).front();
  EXPECT_TRUE(gradient.equal(torch::full_like(gradient, 2.0)));
}

TEST(Shredder, RewardsNoiseUpToItsTarget) {
  const auto tensor = tensor_of(golden("shredder").at("tensor"));
  auto draw = generator(5);
  const double variance = tensor.var(false).item<double>();
  const auto reward = [&](double power) {
    const auto defense = golden_shredder(tensor);
    defense->release(torch::full({2, 1, 3, 17}, std::sqrt(power)), Site::representation, Phase::train, draw, {});
    return defense->penalty({}).item<double>();
  };
  EXPECT_NEAR(reward(1.1 * variance), -1e-3 * tensor.abs().sum().item<double>(), 1e-5);
  EXPECT_EQ(reward(0.9 * variance), 0) << "the noise is stronger than the target already";
}

// The noise may grow where the prediction does not look: a classifier that reads the first element alone.
TEST(Shredder, LearnsNoiseWhereThePredictionDoesNotLook) {
  const auto defense = tests::make("shredder(tensors=3,weight=0.05,target=100)", {1, 1, 4});
  nn::Optimizer optimizer(defense->trained_parameters(), {.momentum = 0});
  auto draw = generator(7);
  for (int i = 0; i < 400; ++i) {
    const auto r = torch::rand({32, 1, 1, 4}, draw);
    const auto released = defense->release(r, Site::representation, Phase::train, draw, {});
    const auto loss = (released - r).flatten(1).select(1, 0).square().mean() + defense->penalty({});
    optimizer.zero_grad();
    loss.backward();
    optimizer.step(0.1);
  }
  const auto noise = defense->trained_parameters().front().detach().flatten(1).abs().mean(0);
  EXPECT_LT(noise[0].item<double>(), 0.2);
  EXPECT_GT(noise.slice(0, 1).min().item<double>(), 0.5);
}

}  // namespace
}  // namespace infoscissors::defense
