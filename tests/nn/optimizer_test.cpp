#include "infoscissors/nn/optimizer.h"

#include "infoscissors/base/error.h"

#include <gtest/gtest.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>
#include <torch/optim.h>

namespace infoscissors::nn {
namespace {

/// Two layers with weights that both optimisers start from.
struct Net {
  torch::nn::Conv2d conv{torch::nn::Conv2dOptions(2, 3, 3)};
  torch::nn::Linear linear{3, 2};

  Net() {
    const torch::NoGradGuard no_grad;
    std::uint64_t seed = 1;
    for (auto& parameter : parameters()) {
      auto generator = at::detail::createCPUGenerator(seed++);
      parameter.normal_(0, 1, generator);
    }
    conv->weight.set_data(conv->weight.to(torch::MemoryFormat::ChannelsLast));
  }
  std::vector<torch::Tensor> parameters() { return {conv->weight, conv->bias, linear->weight, linear->bias}; }
  torch::Tensor loss(const torch::Tensor& x) { return linear(conv(x).mean({2, 3})).pow(2).sum(); }
};

void compare_with_libtorch(const OptimizerOptions& options, torch::optim::Optimizer& theirs, Net& reference) {
  Net net;
  Optimizer ours(net.parameters(), options);
  auto generator = at::detail::createCPUGenerator(7);
  for (int step = 0; step < 6; ++step) {
    const auto x = torch::randn({4, 2, 6, 6}, generator);
    ours.zero_grad();
    net.loss(x).backward();
    ours.step(0.05);
    theirs.zero_grad();
    reference.loss(x).backward();
    theirs.step();
    for (std::size_t i = 0; i < 4; ++i) {
      EXPECT_TRUE(torch::allclose(net.parameters()[i], reference.parameters()[i], 1e-5, 1e-6))
          << "step " << step << " parameter " << i;
    }
  }
}

TEST(Optimizer, SgdEqualsLibtorch) {
  Net reference;
  torch::optim::SGD theirs(reference.parameters(), torch::optim::SGDOptions(0.05).momentum(0.9).weight_decay(1e-2));
  compare_with_libtorch({.rule = Rule::sgd, .momentum = 0.9, .weight_decay = 1e-2}, theirs, reference);
}

TEST(Optimizer, AdamEqualsLibtorch) {
  Net reference;
  torch::optim::Adam theirs(reference.parameters(), torch::optim::AdamOptions(0.05).weight_decay(1e-2));
  compare_with_libtorch({.rule = Rule::adam, .weight_decay = 1e-2}, theirs, reference);
}

TEST(Optimizer, GoesOnFromItsState) {
  Net first, second;
  Optimizer undisturbed(first.parameters(), {.rule = Rule::adam});
  Optimizer before(second.parameters(), {.rule = Rule::adam});
  const auto x = torch::ones({4, 2, 6, 6});
  const auto step = [&](Net& net, Optimizer& optimizer) {
    optimizer.zero_grad();
    net.loss(x).backward();
    optimizer.step(0.1);
  };
  for (int i = 0; i < 3; ++i) step(first, undisturbed);
  step(second, before);
  std::map<std::string, torch::Tensor> kept;
  for (const auto& [name, tensor] : before.state()) kept[name] = tensor.clone();
  Optimizer after(second.parameters(), {.rule = Rule::adam});
  after.load_state(kept);
  for (int i = 0; i < 2; ++i) step(second, after);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_TRUE(first.parameters()[i].equal(second.parameters()[i])) << i;
  kept.erase("second");
  EXPECT_THROW(after.load_state(kept), base::Error);
}

TEST(Optimizer, ClipsTheGradientsNorm) {
  Net net;
  Optimizer optimizer(net.parameters(), {.rule = Rule::sgd, .momentum = 0});
  net.loss(torch::ones({4, 2, 6, 6}) * 100).backward();
  optimizer.clip_gradient(0.5);
  double squares = 0;
  for (const auto& parameter : net.parameters()) squares += parameter.grad().pow(2).sum().item<double>();
  EXPECT_NEAR(std::sqrt(squares), 0.5, 1e-4);
}

// Worked by hand: gradients 1 and 3 with momentum 1/2 make the buffers 1 and 3.5; the second tensor's second update is
// multiplied by 3.5 / 1 + 1 = 4.5, and the third step sees the unscaled 3.5 before its 1.75 + 2 = 3.75.
TEST(Optimizer, ScalesTheUpdatesOfSomeParametersFromTheirMomentum) {
  auto first = torch::zeros({2}).requires_grad_(true), second = torch::zeros({3}).requires_grad_(true);
  Optimizer optimizer({first, second}, {.rule = Rule::sgd, .momentum = 0.5});
  std::vector<torch::Tensor> seen;
  optimizer.scale_updates(1, 1, [&](const torch::Tensor& now, const torch::Tensor& before) {
    seen.push_back(before.clone());
    return 1 + now / before;
  });
  for (const double gradient : {1.0, 3.0, 2.0}) {
    optimizer.set_gradients({torch::full({2}, gradient), torch::full({3}, gradient)});
    optimizer.step(0.1);
  }
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_TRUE(torch::allclose(seen[0], torch::full({3}, 1.0)));
  EXPECT_TRUE(torch::allclose(seen[1], torch::full({3}, 3.5)));
  EXPECT_TRUE(torch::allclose(first, torch::full({2}, -0.1 * (1 + 3.5 + 3.75))));
  EXPECT_TRUE(torch::allclose(second, torch::full({3}, -0.1 * (1 + 3.5 * 4.5 + 3.75 * (1 + 3.75 / 3.5)))));
}

TEST(Optimizer, ScalesAdamsUpdatesToo) {
  auto plain = torch::zeros({4}).requires_grad_(true), scaled = torch::zeros({4}).requires_grad_(true);
  Optimizer honest({plain}, {.rule = Rule::adam}), other({scaled}, {.rule = Rule::adam});
  other.scale_updates(0, 1, [](const torch::Tensor& now, const torch::Tensor&) { return torch::full_like(now, 2); });
  auto after_first = torch::Tensor();
  for (const double gradient : {1.0, -2.0}) {
    after_first = plain.detach().clone();
    for (auto* optimizer : {&honest, &other}) {
      optimizer->set_gradients({torch::full({4}, gradient)});
      optimizer->step(0.1);
    }
  }
  EXPECT_TRUE(torch::allclose(scaled - after_first, 2 * (plain - after_first), 1e-5, 1e-8));
}

}  // namespace
}  // namespace infoscissors::nn
