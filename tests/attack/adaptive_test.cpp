#include "infoscissors/attack/fit.h"
#include "infoscissors/attack/inverse.h"
#include "infoscissors/attack/query.h"
#include "infoscissors/base/error.h"
#include "infoscissors/metric/classification.h"
#include "infoscissors/nn/decoder.h"
#include "infoscissors/tensor/device.h"
#include "tests/attack/toy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

namespace infoscissors::attack {
namespace {

/// Gaussian noise on r, fresh with every call.
Toy::Release noise(double scale) {
  const auto generator = tensor::make_generator(torch::kCPU, 21, "noise");
  return [scale, generator](const torch::Tensor& r) { return r + scale * torch::randn(r.sizes().vec(), generator); };
}

double variance_around(const torch::Tensor& noisy, const torch::Tensor& clean) {
  return (noisy - clean).square().mean().item<double>();
}

// 32768 elements: the relative standard error of each variance is 0.8 %.
TEST(Averaging, DividesTheVarianceOfTheNoiseByTheNumberOfAnswers) {
  const Toy toy;
  const auto clean = toy.head.forward(toy.truth());
  const auto view = toy.view<AdaptiveView>(16, noise(0.5));
  for (const std::int64_t times : {1, 4, 16}) {
    const double expected = 0.25 / static_cast<double>(times);
    const auto seen = observe(view, view.observe, "test", times).representations;
    EXPECT_NEAR(variance_around(seen, clean), expected, 0.05 * expected) << times;
    QueryMeter query(view, "test", 16 * times);
    const auto asked = mean_of(times, [&] { return query(toy.truth()); });
    EXPECT_NEAR(variance_around(asked, clean), expected, 0.05 * expected) << times;
    EXPECT_EQ(query.used(), 16 * times);
  }
  EXPECT_EQ(*toy.observed, 0 + 3 + 15);
}

TEST(Averaging, SaysWhenTheViewShowsItsVictimsOnce) {
  const auto view = Toy().black_box();
  EXPECT_TRUE(torch::equal(observe(view, {}, "test", 1).features, view.features));
  EXPECT_THAT(message_of([&] { observe(view, {}, "test", 2); }), testing::HasSubstr("several times"));
}

// One seed and one noise: these show that seeing more helps, not by how much.
TEST(KaAdaptive, SeesThroughNoiseBetterThanKa) {
  const Toy toy;
  const std::string shared = "decoder=conv,width=12,budget=100,batch=16,steps=200,epochs=1,rate=1e-2";
  const auto plain = run("ka(" + shared + ")", toy.black_box(16, noise(1.0)));
  const auto adaptive = run("ka-adaptive(" + shared + ",draws=10,average=16)", toy.view<AdaptiveView>(16, noise(1.0)));
  EXPECT_GT(similarity(adaptive.reconstructions, toy.truth()), similarity(plain.reconstructions, toy.truth()) + 0.1);
  EXPECT_EQ(adaptive.details.at("observations").get<int>(), 16);
}

TEST(Ka, FreshDrawsPreventLearningTheNoiseByHeart) {
  const Toy toy;
  const auto at = [&](int draws) {
    const auto spec =
        fmt::format("ka(decoder=conv,width=12,budget=24,batch=8,steps=300,epochs=1,rate=1e-2,draws={})", draws);
    return run(spec, toy.black_box(16, noise(0.7)));
  };
  const auto once = at(1), fresh = at(100);
  EXPECT_GT(similarity(fresh.reconstructions, toy.truth()), similarity(once.reconstructions, toy.truth()));
  EXPECT_EQ(once.details.at("queries").get<int>(), 24);
  EXPECT_EQ(fresh.details.at("queries").get<int>(), 24 + 22 * 99);  // two are held out and asked about once
}

TEST(PmcAdaptive, SeesThroughNoiseBetterThanPmc) {
  const Toy toy;
  const auto plain = run("pmc(labels=12,steps=100)", toy.black_box(64, noise(3.0)));
  const auto adaptive =
      run("pmc-adaptive(labels=12,steps=100,draws=10,average=16)", toy.view<AdaptiveView>(64, noise(3.0)));
  EXPECT_GT(metric::accuracy(adaptive.predictions, toy.classes(64)),
            metric::accuracy(plain.predictions, toy.classes(64)) + 0.1);
  EXPECT_EQ(adaptive.details.at("queries").get<int>(), 12 * 10 * 16);
}

TEST(RmleAdaptive, SeesThroughNoiseBetterThanRmle) {
  const Toy toy;
  const auto plain = run("rmle(steps=300,starts=1)", toy.white_box(8, noise(0.5)));
  const auto adaptive =
      run("rmle-adaptive(steps=300,starts=1,average=16,draws=2)", toy.view<AdaptiveWhiteBoxView>(8, noise(0.5)));
  EXPECT_GT(similarity(adaptive.reconstructions, toy.truth(8)), similarity(plain.reconstructions, toy.truth(8)) + 0.1);
}

// A mask that scales: without the expectation over it the candidate is compared at the wrong level.
TEST(Rmle, DescendsOnTheExpectationOverAMask) {
  const Toy toy;
  const auto generator = tensor::make_generator(torch::kCPU, 22, "mask");
  const Toy::Release mask = [generator](const torch::Tensor& r) {
    return r * torch::rand(r.sizes().vec(), generator).lt(0.5).to(r.dtype());
  };
  const auto seen =
      run("rmle-adaptive(steps=300,starts=1,average=32,draws=8)", toy.view<AdaptiveWhiteBoxView>(8, mask));
  const auto blind =
      run("rmle-adaptive(steps=300,starts=1,average=32,release=false)", toy.view<AdaptiveWhiteBoxView>(8, mask));
  EXPECT_GT(similarity(seen.reconstructions, toy.truth(8)), similarity(blind.reconstructions, toy.truth(8)) + 0.05);
}

/// An inverse network that has been trained, as a defence's psi is.
nn::LayerPtr trained_adversary(const Toy& toy) {
  const auto layer = nn::make_decoder("conv", toy.head.output, toy.head.input, 12);
  initialise(*layer, 4, "psi");
  InverseOptions options;
  options.steps = 200;
  options.epochs = 1;
  options.rate = 1e-2;
  base::Json details;
  const auto images = toy.images.slice(0, 64, 200);
  fit_inverse("psi", *layer, {toy.head.forward(images).detach(), images}, {}, options, toy.black_box(), details);
  return layer;
}

TEST(KaAdaptive, BeginsWhereTheDefencesGeneratorStands) {
  const Toy toy;
  auto view = toy.view<AdaptiveView>();
  EXPECT_THAT(message_of([&] { run("ka-adaptive(start=psi)", view); }), testing::HasSubstr("has no generator psi"));
  view.adversary = trained_adversary(toy);
  const auto own = view.adversary->forward(view.representations).detach();
  const std::string rest = "budget=40,draws=1,average=1,batch=16,epochs=1,start=psi";
  const auto unmoved = run("ka-adaptive(steps=1,rate=1e-12," + rest + ")", view);
  EXPECT_TRUE(torch::allclose(unmoved.reconstructions, own, 0, 1e-4));
  const auto trained = run("ka-adaptive(steps=60,rate=3e-3," + rest + ")", view);
  EXPECT_LE(trained.details.at("validation_mse").get<double>(), unmoved.details.at("validation_mse").get<double>());
}

// v of the toy is a pooled map: r's rows are silenced, so that only v can tell what was there.
TEST(CombinedInput, TakesFromVWhatRDoesNotShow) {
  const Toy toy;
  const std::string options = "(decoder=conv,width=12,budget=120,batch=16,steps=200,epochs=1,rate=1e-2)";
  auto view = toy.black_box(32);
  const auto whole = run("combined-input" + options, view);
  EXPECT_GT(similarity(whole.reconstructions, toy.truth(32)), 0.8);
  const auto ask = view.query;
  const auto hide = [](const torch::Tensor& r) { return torch::zeros_like(r); };
  // The server still returns v of what was sent before r was hidden from this attacker.
  const auto last = std::make_shared<torch::Tensor>();
  view.query = [ask, hide, last](const torch::Tensor& images) {
    *last = ask(images);
    return hide(*last);
  };
  class Recall : public nn::Layer {
   public:
    Recall(nn::LayerPtr net, std::shared_ptr<torch::Tensor> sent) : net_(std::move(net)), sent_(std::move(sent)) {}
    torch::Tensor forward(const torch::Tensor&) override { return net_->forward(*sent_); }

   private:
    nn::LayerPtr net_;
    std::shared_ptr<torch::Tensor> sent_;
  };
  view.encoder.layer = std::make_shared<Recall>(view.encoder.layer, last);
  view.representations = hide(view.representations);
  const auto blind = run("ka" + options, view), both = run("combined-input" + options, view);
  EXPECT_GT(similarity(both.reconstructions, toy.truth(32)), similarity(blind.reconstructions, toy.truth(32)) + 0.1);
}

}  // namespace
}  // namespace infoscissors::attack
