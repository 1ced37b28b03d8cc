#include "infoscissors/exporter/torchscript.h"

#include "tests/exporter/support.h"

#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/serialization/import.h>

#include <gtest/gtest.h>

#include <sstream>

namespace infoscissors::exporter {
namespace {

struct Case {
  std::string backbone;
  std::int64_t head_stages, classifier_layers, channels;
};

torch::jit::Module load(const std::string& archive) {
  std::istringstream in(archive);
  return torch::jit::load(in);
}

class EveryBackbone : public ::testing::TestWithParam<Case> {};

TEST_P(EveryBackbone, PartsComputeWhatTheNetworkComputes) {
  const auto& [backbone, stages, layers, channels] = GetParam();
  const torch::NoGradGuard no_grad;
  const auto model = tests::trained_network(
      {.backbone = backbone, .width = 0.25, .head_stages = stages, .classifier_layers = layers}, channels);
  auto head = load(to_torchscript(model.head, "head"));
  auto encoder = load(to_torchscript(model.encoder, "encoder"));
  auto classifier = load(to_torchscript(model.classifier, "classifier"));
  for (const std::int64_t batch : {1, 2, 5}) {
    const auto x = tests::pictures(batch, model.head.input);
    const auto r = model.head.forward(x), v = model.encoder.forward(r), p = model.classifier.forward(v);
    EXPECT_TRUE(torch::allclose(head.forward({x}).toTensor(), r, 1e-5, 1e-5));
    EXPECT_TRUE(torch::allclose(encoder.forward({r}).toTensor(), v, 1e-5, 1e-5));
    EXPECT_TRUE(torch::allclose(classifier.forward({v}).toTensor(), p, 1e-5, 1e-5));
    // The rounding of one part does not grow in the next.
    const auto all = classifier.forward({encoder.forward({head.forward({x})})}).toTensor();
    EXPECT_LT((torch::softmax(all, 1) - torch::softmax(p, 1)).abs().max().item<float>(), 1e-5);
  }
}

TEST_P(EveryBackbone, BatchNormIsFolded) {
  const auto& [backbone, stages, layers, channels] = GetParam();
  const auto model = tests::trained_network(
      {.backbone = backbone, .width = 0.25, .head_stages = stages, .classifier_layers = layers}, channels);
  for (const auto* part : {&model.head, &model.encoder}) {
    const auto module = load(to_torchscript(*part, "part"));
    const auto graph = module.get_method("forward").graph()->toString();
    EXPECT_EQ(graph.find("batch_norm"), std::string::npos) << graph;
  }
  EXPECT_NE(load(to_torchscript(model.head, "part")).get_method("forward").graph()->toString().find("conv"),
            std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(TorchScript, EveryBackbone,
                         ::testing::Values(Case{"resnet18", 0, 1, 3}, Case{"resnet18", 4, 1, 1},
                                           Case{"resnet-small", 0, 1, 1}, Case{"resnet-small", 2, 3, 3},
                                           Case{"vgg11", 0, 1, 1}, Case{"vgg11", 3, 2, 3},
                                           Case{"mobilenet-v2", 0, 1, 3}, Case{"mobilenet-v2", 1, 1, 1}));

TEST(TorchScript, CanBeMovedToAnotherType) {
  const torch::NoGradGuard no_grad;
  const auto model = tests::trained_network({.width = 0.25});
  auto encoder = load(to_torchscript(model.encoder, "encoder"));
  const auto r = tests::pictures(2, model.encoder.input);
  encoder.to(torch::kFloat64);
  const auto v = encoder.forward({r.to(torch::kFloat64)}).toTensor();
  EXPECT_EQ(v.scalar_type(), torch::kFloat64);
  EXPECT_TRUE(torch::allclose(v.to(torch::kFloat32), model.encoder.forward(r), 1e-5, 1e-5));
}

TEST(TorchScript, LeavesTheNetworkAsItWas) {
  const auto model = tests::trained_network({.width = 0.25});
  const auto x = tests::pictures(2, model.head.input);
  const auto before = model.head.forward(x).detach().clone();
  to_torchscript(model.head, "head");
  EXPECT_TRUE(torch::equal(model.head.forward(x), before));
  for (const auto& parameter : model.head.layer->parameters()) EXPECT_TRUE(parameter.requires_grad());
}

TEST(TorchScript, TheSameNetworkGivesTheSameBytes) {
  const auto model = tests::trained_network({.width = 0.25});
  EXPECT_EQ(to_torchscript(model.encoder, "encoder"), to_torchscript(model.encoder, "encoder"));
}

}  // namespace
}  // namespace infoscissors::exporter
