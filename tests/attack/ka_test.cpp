#include "tests/attack/toy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace infoscissors::attack {
namespace {

// A toy's random head and one seed: these tests show that the attack works, not how strong it is on a trained network.
constexpr const char* kConv = "ka(decoder=conv,width=12,budget=100,batch=16,steps=200,epochs=1,rate=1e-2)";

TEST(Ka, RecoversTheInputsOfAnUndefendedHead) {
  const Toy toy;
  for (const std::string spec : {kConv, "ka(decoder=linear,budget=100,steps=300,epochs=1,rate=2e-2)",
                                 "ka(decoder=res,width=8,budget=100,batch=16,steps=100,epochs=1,rate=1e-2)"}) {
    const auto outcome = run(spec, toy.black_box());
    ASSERT_EQ(outcome.reconstructions.sizes(), toy.truth().sizes()) << spec;
    EXPECT_GE(outcome.reconstructions.min().item<double>(), 0) << spec;
    EXPECT_LE(outcome.reconstructions.max().item<double>(), 1) << spec;
    EXPECT_GT(similarity(outcome.reconstructions, toy.truth()), 0.85) << spec;
  }
}

TEST(Ka, RecoversColour) {
  const Toy toy(3);
  EXPECT_GT(similarity(run(kConv, toy.black_box()).reconstructions, toy.truth()), 0.8);
}

TEST(Ka, IsNotWeakerWithMoreQueries) {
  const Toy toy;
  const auto at = [&](int budget) {
    const auto spec = fmt::format("ka(decoder=conv,width=8,budget={},batch=16,steps=200,epochs=1,rate=1e-2)", budget);
    return similarity(run(spec, toy.black_box()).reconstructions, toy.truth());
  };
  EXPECT_GT(at(200), at(8) - 0.01);
}

TEST(Ka, ASmallBudgetIsTrainedAsLongAsALargeOne) {
  const Toy toy;
  const auto steps = [&](const char* spec) { return run(spec, toy.black_box(1)).details.at("steps").get<int>(); };
  EXPECT_EQ(steps("ka(decoder=linear,budget=40,epochs=2,batch=8,steps=50)"), 50);
  EXPECT_EQ(steps("ka(decoder=linear,budget=40,epochs=20,batch=9,steps=50)"), 80);  // 36 pairs, 4 batches a pass
}

TEST(Ka, GivesTheSameForTheSameSeed) {
  const Toy toy;
  const std::string spec = "ka(decoder=res,width=8,budget=30,steps=20,epochs=1)";
  auto view = toy.black_box();
  const auto first = run(spec, view);
  const auto second = run(spec, view);
  EXPECT_TRUE(torch::equal(first.reconstructions, second.reconstructions));
  EXPECT_EQ(first.details, second.details);
  view.seed += 1;
  EXPECT_FALSE(torch::equal(first.reconstructions, run(spec, view).reconstructions));
}

TEST(Ka, GainsNothingFromAShrunkenScale) {
  const Toy toy;
  const auto shrink = [](double factor) { return [factor](const torch::Tensor& r) { return r * factor; }; };
  const auto plain = run(kConv, toy.black_box());
  // A power of two changes no digit, so nothing at all may change; any other factor changes the last digits only.
  const auto exact = run(kConv, toy.black_box(16, shrink(std::ldexp(1.0, -13))));
  EXPECT_TRUE(torch::equal(plain.reconstructions, exact.reconstructions));
  const auto rounded = run(kConv, toy.black_box(16, shrink(1e-4)));
  EXPECT_NEAR(similarity(rounded.reconstructions, toy.truth()), similarity(plain.reconstructions, toy.truth()), 0.02);
}

TEST(Ka, DropsDeadChannels) {
  const Toy toy;
  const auto silence = [](const torch::Tensor& r) {
    auto released = r.clone();
    released.slice(1, 0, 3).fill_(2.5);
    return released;
  };
  const auto outcome = run("ka(decoder=linear,budget=20,steps=5,epochs=1)", toy.black_box(16, silence));
  const auto dead = outcome.details.at("dead_channels").get<int>();
  EXPECT_GE(dead, 3);
  EXPECT_EQ(dead + outcome.details.at("live_channels").get<int>(), 8);
}

TEST(Ka, GuessesTheMeanImageWhenNothingIsSent) {
  const Toy toy;
  const auto silence = [](const torch::Tensor& r) { return torch::zeros_like(r); };
  const auto guess = run("ka(budget=256)", toy.black_box(5, silence)).reconstructions;
  const auto mean = toy.black_box().auxiliary.images.mean(0, true).expand_as(guess);
  EXPECT_TRUE(torch::allclose(guess, mean, 0, 1e-6));
}

// What is attacked may not steer the training: other representations must leave the decoder as it is.
TEST(Ka, StopsByItsAuxiliaryDataAlone) {
  const Toy toy;
  const std::string spec = "ka(decoder=conv,width=8,budget=40,steps=40,epochs=1)";
  auto view = toy.black_box();
  const auto before = run(spec, view);
  view.representations = torch::cat({view.representations.slice(0, 0, 8), view.representations.slice(0, 8) * 3 + 1});
  const auto after = run(spec, view);
  EXPECT_EQ(before.details, after.details);
  EXPECT_TRUE(torch::equal(before.reconstructions.slice(0, 0, 8), after.reconstructions.slice(0, 0, 8)));
  EXPECT_FALSE(torch::equal(before.reconstructions.slice(0, 8), after.reconstructions.slice(0, 8)));
  view.representations = view.representations.slice(0, 0, 1);
  EXPECT_TRUE(torch::allclose(run(spec, view).reconstructions, before.reconstructions.slice(0, 0, 1), 0, 1e-5));
}

TEST(Ka, ReadsNoLabel) {
  auto view = Toy().black_box();
  view.auxiliary.labels = torch::Tensor();
  EXPECT_NO_THROW(run("ka(decoder=linear,budget=20,steps=5,epochs=1)", view));
}

}  // namespace
}  // namespace infoscissors::attack
