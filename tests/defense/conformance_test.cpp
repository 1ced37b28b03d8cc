#include "infoscissors/defense/defense.h"
#include "infoscissors/nn/initialise.h"

#include <gtest/gtest.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>

namespace infoscissors::defense {
namespace {

/// A setting in which each defence does something; a new one must be given its line here.
const std::map<std::string, std::string> kActive = {
    {"none", "none"},
    {"infoscissors", "infoscissors(input=0.4,prediction=0.2,warmup=0)"},
};

Context context() {
  return {.image = {1, 12, 12},
          .representation = {3, 12, 12},
          .feature = {5},
          .classes = 4,
          .epochs = 2,
          .runtime = {},
          .seed = 9};
}

struct Trace {
  torch::Tensor representation, feature, penalty, gradient;
};

/// One training step of a tiny head and encoder behind the defence, everything drawn from `seed`.
Trace run(Defense& defense, std::uint64_t seed, std::int64_t batch = 6) {
  torch::nn::Conv2d head(torch::nn::Conv2dOptions(1, 3, 3).padding(1));
  torch::nn::Linear encoder(3, 5);
  nn::initialise(*head, at::detail::createCPUGenerator(1));
  nn::initialise(*encoder, at::detail::createCPUGenerator(2));
  Step step;
  step.generator = at::detail::createCPUGenerator(seed);
  step.images = torch::rand({batch, 1, 12, 12}, step.generator);
  step.labels = torch::randint(0, 4, {batch}, step.generator, torch::kInt64);
  step.epoch = 1;
  step.representation =
      defense.release(torch::relu(head(step.images)), Site::representation, Phase::train, step.generator);
  step.feature =
      defense.release(encoder(step.representation.mean({2, 3})), Site::feature, Phase::train, step.generator);
  step.logits = step.feature.slice(1, 0, 4);
  step.cross_entropy = torch::cross_entropy_loss(step.logits, step.labels);
  defense.update_adversary(step);
  const auto penalty = defense.penalty(step);
  auto loss = step.cross_entropy * defense.task_weight(step);
  if (penalty.defined()) loss = loss + penalty;
  const auto gradient = torch::autograd::grad({loss}, {head->weight}).front();
  defense.finish_step();
  return {step.representation.detach(), step.feature.detach(), penalty.defined() ? penalty.detach() : torch::zeros({}),
          gradient};
}

DefensePtr make(const std::string& spec) {
  auto defense = make_defense(spec);
  defense->setup(context());
  return defense;
}

std::map<std::string, torch::Tensor> copy_of(const std::map<std::string, torch::Tensor>& state) {
  std::map<std::string, torch::Tensor> copy;
  for (const auto& [name, tensor] : state) copy[name] = tensor.clone();
  return copy;
}

TEST(Conformance, EveryRegisteredDefenceHasASettingHere) {
  EXPECT_GE(registry().entries().size(), 2U) << "registration was lost";
  for (const auto& name : registry().names()) EXPECT_TRUE(kActive.contains(name)) << name;
}

TEST(Conformance, StepsAreFiniteKeepTheBatchAndRepeatFromTheirSeed) {
  for (const auto& [name, spec] : kActive) {
    SCOPED_TRACE(spec);
    for (const std::int64_t batch : {2, 6}) {
      const auto first = run(*make(spec), 3, batch), same = run(*make(spec), 3, batch);
      EXPECT_EQ(first.representation.size(0), batch);
      EXPECT_EQ(first.feature.sizes().vec(), (std::vector<std::int64_t>{batch, 5}));
      EXPECT_TRUE(first.gradient.isfinite().all().item<bool>());
      EXPECT_TRUE(first.penalty.isfinite().item<bool>());
      EXPECT_TRUE(first.representation.equal(same.representation));
      EXPECT_TRUE(first.gradient.equal(same.gradient));
    }
  }
}

TEST(Conformance, ASingleSampleIsServed) {
  const torch::NoGradGuard no_grad;
  for (const auto& [name, spec] : kActive) {
    SCOPED_TRACE(spec);
    const auto defense = make(spec);
    auto generator = at::detail::createCPUGenerator(1);
    EXPECT_EQ(defense->release(torch::rand({1, 3, 12, 12}), Site::representation, Phase::serve, generator).size(0), 1);
    EXPECT_EQ(defense->release(torch::rand({1, 5}), Site::feature, Phase::serve, generator).size(0), 1);
  }
}

TEST(Conformance, GoesOnFromASavedStateAsIfNothingHadHappened) {
  for (const auto& [name, spec] : kActive) {
    SCOPED_TRACE(spec);
    const auto first = make(spec), second = make(spec);
    run(*first, 3);
    for (const auto& [key, module] : second->modules())
      nn::load_state(*module, copy_of(nn::state_of(*first->modules().at(key))));
    second->load_state(copy_of(first->state()));
    const auto ours = run(*first, 4), theirs = run(*second, 4);
    EXPECT_TRUE(ours.gradient.equal(theirs.gradient));
    EXPECT_TRUE(ours.penalty.equal(theirs.penalty));
  }
}

TEST(Conformance, DefencesComposeWithNone) {
  for (const auto& [name, spec] : kActive) {
    SCOPED_TRACE(spec);
    EXPECT_TRUE(run(*make(spec), 3).gradient.equal(run(*make("none+" + spec), 3).gradient));
  }
}

}  // namespace
}  // namespace infoscissors::defense
