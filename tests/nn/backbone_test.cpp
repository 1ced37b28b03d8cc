#include "infoscissors/nn/initialise.h"
#include "infoscissors/nn/split_model.h"
#include "infoscissors/tensor/device.h"

#include "tests/support/expect_error.h"

#include <gtest/gtest.h>

namespace infoscissors::nn {
namespace {

ModelTask task(const Shape& shape) {
  return {shape, 10, std::vector<double>(shape[0], 0.5), std::vector<double>(shape[0], 0.25)};
}

std::int64_t parameter_count(const SplitModel& model) {
  std::int64_t count = 0;
  for (const auto& parameter : model.parameters()) count += parameter.numel();
  return count;
}

SplitModel build(const std::string& backbone, double width, std::int64_t stages, const Shape& shape) {
  ModelOptions options;
  options.backbone = backbone;
  options.width = width;
  options.head_stages = stages;
  return make_split_model(options, task(shape));
}

TEST(Backbone, EveryCutOfEveryFamilyComposesOnSquareAndOtherImages) {
  for (const auto& doc : backbones()) {
    for (std::int64_t stages = 0; stages <= 4; ++stages) {
      for (const Shape& shape : {Shape{1, 28, 28}, Shape{3, 16, 24}}) {
        SCOPED_TRACE(doc.name + " with " + std::to_string(stages) + " stages on " + to_string(shape));
        auto model = build(doc.name, 0.125, stages, shape);
        model.train(false);
        const torch::NoGradGuard no_grad;
        const auto r = model.head.forward(torch::rand({2, shape[0], shape[1], shape[2]}));
        EXPECT_EQ(r.sizes().slice(1).vec(), model.head.output);
        const auto v = model.encoder.forward(r);
        EXPECT_EQ(v.sizes().slice(1).vec(), model.encoder.output);
        EXPECT_EQ(model.classifier.forward(v).sizes().vec(), (Shape{2, 10}));
      }
    }
  }
}

TEST(Backbone, TheCutDoesNotChangeTheNetwork) {
  const auto shallow = build("resnet18", 0.25, 0, {3, 32, 32});
  const auto deep = build("resnet18", 0.25, 3, {3, 32, 32});
  EXPECT_EQ(parameter_count(shallow), parameter_count(deep));
  EXPECT_EQ(shallow.head.output, (Shape{16, 32, 32}));
  EXPECT_EQ(deep.head.output, (Shape{64, 8, 8}));
}

// Counted from the papers' tables for 10 classes: ResNet-18 with a 3x3 first convolution; MobileNetV2 as published.
TEST(Backbone, ParameterCountsAreThoseOfThePapers) {
  EXPECT_EQ(parameter_count(build("resnet18", 1.0, 0, {3, 32, 32})), 11173962);
  EXPECT_EQ(parameter_count(build("mobilenet-v2", 1.0, 0, {3, 32, 32})), 2236682);
}

TEST(Backbone, SeveralClassifierLayersLiveOnTheDevice) {
  ModelOptions options;
  options.width = 0.25;
  options.classifier_layers = 3;
  options.classifier_width = 20;
  const auto model = make_split_model(options, task({1, 28, 28}));
  const auto state = state_of(*model.classifier.layer);
  EXPECT_EQ(state.at("linear2.module.weight").sizes().vec(), (Shape{20, 20}));
  EXPECT_EQ(state.at("linear3.module.weight").sizes().vec(), (Shape{10, 20}));
}

TEST(Backbone, RefusesWhatItCannotTake) {
  EXPECT_THROW(make_split_model({}, task({1, 4, 28})), base::UsageError);
  EXPECT_THROW(make_split_model({}, {{12}, 10, {}, {}}), base::UsageError);
  ModelOptions options;
  options.backbone = "resnet81";
  EXPECT_THROW(make_split_model(options, task({1, 28, 28})), base::UsageError);
}

TEST(Initialise, IsDrawnFromTheGeneratorAlone) {
  const auto draw = [](std::uint64_t seed) {
    auto model = build("resnet-small", 0.5, 0, {1, 28, 28});
    initialise(*model.encoder.layer, tensor::make_generator(torch::kCPU, seed, "test"));
    return state_of(*model.encoder.layer);
  };
  const auto first = draw(1), same = draw(1), other = draw(2);
  const std::string name = "stage1.block1.first.conv.module.weight";
  EXPECT_TRUE(first.at(name).equal(same.at(name)));
  EXPECT_FALSE(first.at(name).equal(other.at(name)));
  // He et al.: variance 2 / fan-out = 2 / (8 * 9); 576 draws, so within 30 % with probability above 0.9999.
  EXPECT_NEAR(first.at(name).var().item<double>() * 36, 1.0, 0.3);
}

TEST(Initialise, StatesAreCopiedWholeOrNotAtAll) {
  auto from = build("resnet-small", 0.5, 0, {1, 28, 28});
  auto to = build("resnet-small", 0.5, 0, {1, 28, 28});
  auto state = state_of(*from.head.layer);
  copy_state(*from.head.layer, *to.head.layer);
  for (const auto& [name, tensor] : state_of(*to.head.layer)) EXPECT_TRUE(tensor.equal(state.at(name))) << name;
  state.erase("stem.conv.module.weight");
  EXPECT_THROW(load_state(*to.head.layer, state), base::Error);
  state["stem.conv.module.weight"] = torch::zeros({1});
  EXPECT_THROW(load_state(*to.head.layer, state), base::Error);
}

}  // namespace
}  // namespace infoscissors::nn
