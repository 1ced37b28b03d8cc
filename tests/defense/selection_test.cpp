#include "tests/defense/support.h"

#include <gtest/gtest.h>

#include <cmath>

namespace infoscissors::defense {
namespace {

using tests::generator;
using tests::golden;

torch::Tensor serve(const std::string& spec, const torch::Tensor& r, std::uint64_t seed = 1) {
  auto draw = generator(seed);
  const auto shape = r.sizes().slice(1).vec();
  return tests::make(spec, shape)->release(r, Site::representation, Phase::serve, draw, {});
}

double share_of(const torch::Tensor& condition) {
  return condition.to(torch::kFloat64).mean().item<double>();
}

TEST(DataCompression, KeepsTheLargestOfEachSample) {
  const auto r = torch::tensor({0.1F, -5.0F, 2.0F, 0.0F, -0.3F, 4.0F, 0.9F, -0.8F, 0.7F, -0.6F}).view({2, 1, 1, 5});
  const auto expected = torch::tensor({0.0F, -5.0F, 2.0F, 0.0F, 0.0F, 4.0F, 0.9F, 0.0F, 0.0F, 0.0F}).view({2, 1, 1, 5});
  EXPECT_TRUE(serve("dc(share=0.4)", r).equal(expected));
  EXPECT_TRUE(serve("dc(share=1)", r).equal(r));
  EXPECT_EQ(serve("dc(share=0.01)", r).count_nonzero().item<std::int64_t>(), 2) << "one of each is always kept";
  const auto hundred = torch::arange(1, 101, torch::kFloat32).view({1, 1, 10, 10});
  EXPECT_EQ(serve("dc(share=0.29)", hundred).count_nonzero().item<std::int64_t>(), 29);
}

TEST(DataCompression, GradientsReachWhatIsKept) {
  auto r = torch::tensor({0.1F, -5.0F, 2.0F, 0.0F, 7.0F}).view({1, 1, 1, 5}).requires_grad_();
  serve("dc(share=0.4)", r).sum().backward();
  EXPECT_TRUE(r.grad().flatten().equal(torch::tensor({0.0F, 1.0F, 0.0F, 0.0F, 1.0F})));
  r.mutable_grad().zero_();
  serve("dc(variant=quantise,bound=4)", r).sum().backward();
  EXPECT_TRUE(r.grad().flatten().equal(torch::tensor({1.0F, 0.0F, 1.0F, 1.0F, 0.0F}))) << "nothing beyond the bound";
}

TEST(DataCompression, LevelsEqualNumPy) {
  for (const auto& entry : golden("quantise")) {
    const auto samples = tests::tensor_of(entry.at("samples")).view({3, 1, 1, 7});
    const auto spec =
        fmt::format("dc(variant=quantise,bins={},bound={})", entry.at("bins").get<int>(), entry.at("bound").get<int>());
    const auto released = serve(spec, samples);
    EXPECT_TRUE(torch::allclose(released, tests::tensor_of(entry.at("levels")).view_as(released), 0, 1e-6)) << spec;
  }
}

// With so large a budget the noise vanishes and what remains is the selection itself.
TEST(Ppdl, WithoutNoiseReleasesTheShareAboveTheThreshold) {
  const auto r = torch::tensor({0.1F, -5.0F, 2.0F, 0.0F, -0.3F, 4.0F, 0.9F, -0.8F, 0.7F, -0.6F}).view({1, 1, 2, 5});
  const auto few = serve("ppdl(share=1,epsilon=1e12,gamma=3,tau=0.65)", r).flatten();
  const auto expected = torch::tensor({0.0F, -3.0F, 2.0F, 0.0F, 0.0F, 3.0F, 0.9F, -0.8F, 0.7F, 0.0F});
  EXPECT_TRUE(torch::allclose(few, expected, 0, 1e-6)) << "coordinates run out before c: the rest is still 0";

  std::vector<double> chosen(10, 0.0);
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    const auto part = serve("ppdl(share=0.35,epsilon=1e12,gamma=3,tau=0.65)", r, seed).flatten();
    EXPECT_EQ(part.count_nonzero().item<std::int64_t>(), 3) << "floor(0.35 10)";
    for (int i = 0; i < 10; ++i) chosen[i] += part[i].item<float>() != 0 ? 1.0 / 400 : 0;
  }
  // Three of the six above the threshold, each equally likely: 0.5, with a standard error of 0.025.
  for (const int i : {1, 2, 5, 6, 7, 8}) EXPECT_NEAR(chosen[i], 0.5, 0.1) << i;
}

// Two equal coordinates and c = 2: the thresholds are drawn anew after an acceptance, which makes both accepted with
// p^2 (0.444); with one threshold for both it would be 0.479. Tolerances are four standard errors of 200,000 samples.
TEST(Ppdl, SelectionAndNoiseHaveTheirProbabilities) {
  const auto entry = golden("ppdl");
  const std::int64_t count = 200000;
  const double value = entry.at("value"), gamma = entry.at("gamma");
  const auto spec =
      fmt::format("ppdl(share=1,epsilon={},sensitivity={},gamma={},tau={})", entry.at("epsilon").get<double>(),
                  entry.at("sensitivity").get<double>(), gamma, entry.at("tau").get<double>());
  const auto released = serve(spec, torch::full({count, 1, 1, 2}, value), 8).flatten(1);
  const auto accepted = released.ne(0).sum(1);
  const double tolerance = 4 * 0.5 / std::sqrt(count);
  EXPECT_NEAR(share_of(accepted.eq(2)), entry.at("both").get<double>(), tolerance);
  EXPECT_NEAR(share_of(accepted.eq(1)), entry.at("one").get<double>(), tolerance);
  EXPECT_NEAR(share_of(accepted.eq(0)), entry.at("none").get<double>(), tolerance);
  const auto values = released.masked_select(released.ne(0));
  EXPECT_NEAR(share_of(values.ge(gamma)), entry.at("high").get<double>(), tolerance);
  EXPECT_NEAR(share_of(values.le(-gamma)), entry.at("low").get<double>(), tolerance);
}

TEST(GradientSite, ChangesOnlyTheGradient) {
  for (const char* spec : {"dc(site=gradient,share=0.2)", "ppdl(site=gradient)", "dp(site=gradient,mode=raw)"}) {
    SCOPED_TRACE(spec);
    const auto defense = tests::make(spec, {1, 4, 4});
    auto draw = generator(2);
    const auto r = torch::rand({3, 1, 4, 4}), v = torch::rand({3, 5});
    EXPECT_TRUE(defense->release(r, Site::representation, Phase::train, draw, {}).equal(r));
    EXPECT_TRUE(defense->release(v, Site::feature, Phase::train, draw, {}).equal(v));
    EXPECT_FALSE(defense->release_gradient(v, draw).equal(v));
    EXPECT_EQ(defense->learns(), Learns::network);
  }
  auto draw = generator(2);
  const auto gradient = torch::tensor({0.1F, -0.4F, 0.2F, 0.3F, 0.0F}).view({1, 5});
  EXPECT_TRUE(tests::make("dc(site=gradient,share=0.4)", {1, 4, 4})
                  ->release_gradient(gradient, draw)
                  .equal(torch::tensor({0.0F, -0.4F, 0.0F, 0.3F, 0.0F}).view({1, 5})));
}

}  // namespace
}  // namespace infoscissors::defense
