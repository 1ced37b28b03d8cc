#include "infoscissors/base/error.h"
#include "infoscissors/base/spec.h"
#include "infoscissors/defense/defense.h"
#include "infoscissors/nn/initialise.h"

#include "tests/support/expect_error.h"

#include <gtest/gtest.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>

#include <set>

namespace infoscissors::defense {
namespace {

/// A setting in which each defence does something, and what it changes of that which is exposed. A new one must be
/// given its line here.
struct Setting {
  std::string spec;
  bool representation, feature;
};
const std::map<std::string, Setting> kActive = {
    {"none", {"none", false, false}},
    {"infoscissors", {"infoscissors(input=0.4,prediction=0.2,warmup=0)", false, false}},
    {"an", {"an(scale=0.3)", true, false}},
    {"an-adv", {"an-adv(epsilon=0.2)", true, false}},
    {"cem", {"cem(clusters=2)", true, false}},
    {"dc", {"dc(share=0.4,site=both)", true, true}},
    {"dp", {"dp(epsilon=50,site=feature)", false, true}},
    {"dropout", {"dropout(site=both)", true, true}},
    {"mid", {"mid(site=both)", true, true}},
    {"nopeek", {"nopeek(site=both)", false, false}},
    {"ppdl", {"ppdl(epsilon=1000,gamma=2)", true, false}},
    {"ridge", {"ridge(warmup=0)", false, false}},
    {"shredder", {"shredder(tensors=2)", true, false}},
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
      defense.release(torch::relu(head(step.images)), Site::representation, Phase::train, step.generator, step.images);
  step.feature = defense.release(encoder(step.representation.mean({2, 3})), Site::feature, Phase::train, step.generator,
                                 step.images);
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

/// What a defence makes of fixed tensors in one phase.
std::pair<torch::Tensor, torch::Tensor> release(Defense& defense, Phase phase, std::int64_t batch = 4) {
  const torch::NoGradGuard no_grad;
  auto data = at::detail::createCPUGenerator(8), draw = at::detail::createCPUGenerator(11);
  const auto images = torch::rand({batch, 1, 12, 12}, data);
  const auto r = torch::rand({batch, 3, 12, 12}, data), v = torch::randn({batch, 5}, data);
  return {defense.release(r, Site::representation, phase, draw, images) - r,
          defense.release(v, Site::feature, phase, draw, images) - v};
}

TEST(Conformance, StepsAreFiniteKeepTheBatchAndRepeatFromTheirSeed) {
  for (const auto& [name, setting] : kActive) {
    const auto& spec = setting.spec;
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

TEST(Conformance, TheHeadLearnsBehindEveryDefence) {
  for (const auto& [name, setting] : kActive) {
    EXPECT_GT(run(*make(setting.spec), 3).gradient.abs().max().item<float>(), 0) << setting.spec;
  }
}

TEST(Conformance, ChangesItsSitesAndNoOther) {
  for (const auto& [name, setting] : kActive) {
    SCOPED_TRACE(setting.spec);
    const auto defense = make(setting.spec);
    for (const auto phase : {Phase::train, Phase::evaluate, Phase::serve}) {
      const auto [r, v] = release(*defense, phase);
      EXPECT_EQ(r.count_nonzero().item<std::int64_t>() > 0, setting.representation);
      EXPECT_EQ(v.count_nonzero().item<std::int64_t>() > 0, setting.feature);
    }
    const auto sites = registry().find(name).traits.at("sites").get<std::string>();
    EXPECT_TRUE(!setting.representation || sites.find("representation") != std::string::npos);
    EXPECT_TRUE(!setting.feature || sites.find("feature") != std::string::npos);
  }
}

TEST(Conformance, ServesAsItWasTrainedAndMeasured) {
  for (const auto& [name, setting] : kActive) {
    SCOPED_TRACE(setting.spec);
    const auto defense = make(setting.spec);
    const auto trained = release(*defense, Phase::train), measured = release(*defense, Phase::evaluate),
               served = release(*defense, Phase::serve);
    EXPECT_TRUE(measured.first.equal(served.first));
    EXPECT_TRUE(measured.second.equal(served.second));
    // The source of shredder trains on the tensors and serves draws of the distributions that fit them.
    EXPECT_EQ(trained.first.equal(served.first), name != "shredder");
    EXPECT_TRUE(trained.second.equal(served.second));
  }
}

TEST(Conformance, ASingleSampleIsServed) {
  for (const auto& [name, setting] : kActive) {
    const auto [r, v] = release(*make(setting.spec), Phase::serve, 1);
    EXPECT_EQ(r.sizes().vec(), (std::vector<std::int64_t>{1, 3, 12, 12})) << setting.spec;
    EXPECT_EQ(v.sizes().vec(), (std::vector<std::int64_t>{1, 5})) << setting.spec;
  }
}

TEST(Conformance, SaysWhenItCanBeApplied) {
  const std::set<std::string> afterwards = {"none", "an", "dc", "dp", "dropout", "ppdl"},
                              fitted = {"an-adv", "shredder"};
  for (const auto& [name, setting] : kActive) {
    const auto expected = afterwards.contains(name) ? Learns::nothing
                          : fitted.contains(name)   ? Learns::itself
                                                    : Learns::network;
    EXPECT_EQ(make_defense(setting.spec)->learns(), expected) << name;
    EXPECT_EQ(registry().find(name).traits.at("applies"), to_string(expected)) << name;
    // What learns nothing has no state that could be left out of a trained network's checkpoint.
    if (expected == Learns::nothing) {
      EXPECT_TRUE(make(setting.spec)->state().empty() && make(setting.spec)->modules().empty()) << name;
    }
  }
  EXPECT_EQ(make_defense("an+shredder")->learns(), Learns::itself);
  EXPECT_EQ(make_defense("an+nopeek+shredder")->learns(), Learns::network);
}

TEST(Conformance, GoesOnFromASavedStateAsIfNothingHadHappened) {
  for (const auto& [name, setting] : kActive) {
    const auto& spec = setting.spec;
    SCOPED_TRACE(spec);
    const auto first = make(spec), second = make(spec);
    run(*first, 3);
    first->end_epoch();  // some begin with the second epoch
    run(*first, 5);
    for (const auto& [key, module] : second->modules())
      nn::load_state(*module, copy_of(nn::state_of(*first->modules().at(key))));
    second->load_state(copy_of(first->state()));
    const auto ours = run(*first, 4), theirs = run(*second, 4);
    EXPECT_TRUE(ours.gradient.equal(theirs.gradient));
    EXPECT_TRUE(ours.penalty.equal(theirs.penalty));
    EXPECT_EQ(first->end_epoch().values, second->end_epoch().values);
  }
}

TEST(Conformance, DefencesComposeWithInfoScissorsAndEachOther) {
  for (const auto& [name, setting] : kActive) {
    // Two terms on the input would be refused; beside itself stands the other term.
    const std::string scissors = name == "infoscissors" ? "an" : "infoscissors(input=0.3)";
    for (const auto& spec : {scissors + "+" + setting.spec, setting.spec + "+" + scissors, setting.spec + "+an",
                             "dropout+" + setting.spec}) {
      SCOPED_TRACE(spec);
      const auto step = run(*make(spec), 3);
      EXPECT_TRUE(step.gradient.isfinite().all().item<bool>());
      EXPECT_TRUE(step.penalty.isfinite().item<bool>());
    }
  }
}

TEST(Conformance, NothingIsHeldTwice) {
  for (const auto& [name, setting] : kActive) {
    const auto twice = setting.spec + "+" + setting.spec;
    if (registry().make(base::parse_specs(setting.spec).front())->claims().empty()) {
      EXPECT_NO_THROW(make_defense(twice)) << twice;
    } else {
      EXPECT_THROW(make_defense(twice), base::UsageError) << twice;
    }
  }
  EXPECT_NO_THROW(make_defense("mid(site=representation)+mid(site=feature)"));
  EXPECT_NO_THROW(make_defense("infoscissors(input=0.2)+infoscissors(prediction=0.2)"));
  EXPECT_THAT(tests::message_of<base::UsageError>([] { make_defense("mid(site=both)+an+mid(site=feature)"); }),
              testing::StartsWith("[mid+mid] both hold the bottleneck at the feature"));
}

TEST(Conformance, NothingVoidsAGuarantee) {
  EXPECT_THAT(tests::message_of<base::UsageError>([] { make_defense("dp+an+an-adv"); }),
              testing::EndsWith("write an-adv+dp"));
  EXPECT_NO_THROW(make_defense("an-adv+dp"));
  EXPECT_NO_THROW(make_defense("dp(mode=raw)+an-adv"));
  EXPECT_NO_THROW(make_defense("dp(site=feature)+an-adv"));
  EXPECT_NO_THROW(make_defense("dp+an"));
}

/// Settings in which a defence must do nothing at all.
TEST(Conformance, WithoutStrengthADefenceIsNoneBitForBit) {
  const auto none = run(*make("none"), 3);
  for (const auto& spec :
       {"infoscissors(input=0,prediction=0)", "an(scale=0)", "an-adv(epsilon=0)", "cem(weight=0,scale=0)",
        "dc(share=1)", "dp(mode=raw,scale=0)", "dropout(probability=0)", "nopeek(weight=0)"}) {
    SCOPED_TRACE(spec);
    const auto step = run(*make(spec), 3);
    EXPECT_TRUE(step.representation.equal(none.representation));
    EXPECT_TRUE(step.feature.equal(none.feature));
    EXPECT_TRUE(step.gradient.equal(none.gradient));
    EXPECT_EQ(step.penalty.item<float>(), 0);
  }
}

TEST(Conformance, TheOrderIsThatInWhichTheReleasesAreWritten) {
  const auto noise_last = release(*make("dc(share=0.1)+an(scale=0.1)"), Phase::serve).first;
  const auto share_last = release(*make("an(scale=0.1)+dc(share=0.1)"), Phase::serve).first;
  EXPECT_FALSE(noise_last.equal(share_last));
  EXPECT_EQ((noise_last == 0).sum().item<std::int64_t>(), 0) << "noise on everything that was zeroed";
}

TEST(Conformance, OneChannelAndASingleSampleInBf16) {
  for (const auto& [name, setting] : kActive) {
    SCOPED_TRACE(setting.spec);
    auto narrow = context();
    narrow.representation = {1, 12, 12};
    const auto defense = make_defense(setting.spec);
    defense->setup(narrow);
    const torch::NoGradGuard no_grad;
    auto draw = at::detail::createCPUGenerator(5);
    const auto images = torch::rand({1, 1, 12, 12}, draw);
    for (const auto type : {torch::kFloat32, torch::kBFloat16}) {
      const tensor::Autocast autocast({.device = torch::kCPU, .bf16 = type == torch::kBFloat16});
      const auto r = defense->release(images.to(type), Site::representation, Phase::serve, draw, images);
      EXPECT_EQ(r.sizes().vec(), (std::vector<std::int64_t>{1, 1, 12, 12}));
      EXPECT_TRUE(r.isfinite().all().item<bool>());
    }
  }
}

TEST(Conformance, DefencesComposeWithNone) {
  for (const auto& [name, setting] : kActive) {
    const auto& spec = setting.spec;
    SCOPED_TRACE(spec);
    EXPECT_TRUE(run(*make(spec), 3).gradient.equal(run(*make("none+" + spec), 3).gradient));
  }
}

}  // namespace
}  // namespace infoscissors::defense
