#include "infoscissors/mi/estimator.h"

#include "infoscissors/base/error.h"
#include "tests/mi/channels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>

namespace infoscissors::mi {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;
using testing_channels::gaussians;
using testing_channels::symmetric_channel;

const MeasureOptions kQuick{.held_out = 0.5, .permutations = 0, .seed = 1};

Estimate run(const std::string& spec, const torch::Tensor& x, const torch::Tensor& y, MeasureOptions options = kQuick) {
  return measure(*make_estimator(spec), make_pairs(x, y), options);
}

double mean_value(const std::string& spec, std::int64_t n, std::int64_t d, double nats) {
  double sum = 0;
  constexpr int kSeeds = 3;
  for (int seed = 0; seed < kSeeds; ++seed) {
    const auto c = gaussians(n, d, nats, static_cast<std::uint64_t>(seed));
    sum += run(spec, c.x, c.y, {.held_out = 0.5, .permutations = 0, .seed = static_cast<std::uint64_t>(seed)}).value;
  }
  return sum / kSeeds;
}

TEST(Registry, HoldsEveryMethodWithItsBoundAndSource) {
  EXPECT_THAT(registry().names(), testing::UnorderedElementsAre("barber-agakov", "club", "club-unit", "infonce", "ksg",
                                                                "l1out", "mine", "nwj", "smile", "vclub-s", "vib"));
  for (const auto& entry : registry().entries()) {
    EXPECT_FALSE(entry.doc.source.empty()) << entry.doc.name;
    EXPECT_THAT((std::vector<std::string>{"upper", "lower", "neither"}),
                Contains(entry.traits["bound"].get<std::string>()));
    EXPECT_FALSE(entry.traits["condition"].get<std::string>().empty()) << entry.doc.name;
  }
  EXPECT_THROW(make_estimator("clubb"), base::UsageError);
  EXPECT_THROW(make_estimator("infonce(rate=0)"), base::UsageError);
}

// With the true conditional CLUB is sum_d rho_d^2 / (1 - rho_d^2): here 5 (exp(2 * 2 / 5) - 1).
TEST(Gaussian, ClubIsItsClosedFormAndLoose) {
  const double expected = 5 * (std::exp(2 * 2.0 / 5) - 1);
  EXPECT_NEAR(mean_value("club(epochs=0)", 20000, 5, 2.0), expected, 0.07 * expected);
  EXPECT_NEAR(mean_value("vclub-s(epochs=0)", 20000, 5, 2.0), expected, 0.10 * expected);
}

// Half of E|y - g|^2 over random pairs minus over true ones is tr cov(y, g) = d rho^2 with the true mean; y in other
// units scales it.
TEST(Gaussian, UnitVarianceClubIsTheExplainedVariance) {
  const auto c = gaussians(4000, 5, 2.0, 3);
  const double expected = 5 * (1 - std::exp(-2 * 2.0 / 5));
  EXPECT_NEAR(run("club-unit(epochs=0)", c.x, c.y).value, expected, 0.1 * expected);
  EXPECT_NEAR(run("club-unit(epochs=0)", c.x, 3 * c.y).value, 9 * expected, 0.9 * expected);
}

TEST(Gaussian, OtherEstimatorsAreNearTheTruth) {
  for (const auto* spec :
       {"mine(epochs=4)", "smile(epochs=4)", "barber-agakov(epochs=4)", "barber-agakov(entropy=gaussian,epochs=4)"}) {
    EXPECT_NEAR(mean_value(spec, 3000, 5, 2.0), 2.0, 0.4) << spec;
  }
  EXPECT_NEAR(mean_value("ksg", 2000, 1, 1.0), 1.0, 0.1);
}

// The aim that the documentation states: 20 dimensions, 10,000 pairs, the conservative ends within 15 % on their side.
TEST(Gaussian, RecommendedBoundsBracketTheTruth) {
  for (const double nats : {2.0, 6.0}) {
    const auto c = gaussians(10000, 20, nats, 11);
    const auto upper = run("l1out(epochs=1)", c.x, c.y);
    const auto lower = run("infonce(epochs=1)", c.x, c.y);
    EXPECT_GT(upper.high, nats);
    EXPECT_LT(upper.high, 1.15 * nats);
    EXPECT_LT(lower.low, nats);
    EXPECT_GT(lower.low, 0.85 * nats);
  }
}

TEST(Cubic, NormalScoresUndoTheTransformation) {
  const auto c = gaussians(4000, 5, 2.0, 4, /*cubic=*/true);
  const auto estimate = run("infonce(epochs=0)", c.x, c.y);
  EXPECT_EQ(estimate.details["transform"], "scores");
  EXPECT_NEAR(estimate.value, 2.0, 0.15);
  EXPECT_LT(run("infonce(epochs=0,transform=standard)", c.x, c.y).value, 1.7);
}

// Few pairs and heavy tails: values beyond those fitted to must not be thrown far out by two neighbours that happened
// to lie close together. Shown for these twelve draws, of which one used to read -3 nats.
TEST(Cubic, ValuesBeyondTheFittedOnesDoNoHarm) {
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    const auto c = gaussians(1000, 1, 2.0, seed, /*cubic=*/true);
    const auto estimate = run("infonce(epochs=0)", c.x, c.y, {.permutations = 0, .seed = seed});
    EXPECT_NEAR(estimate.value, 2.0, 0.5) << seed;
  }
}

TEST(DiscreteChannel, LabelsAreMeasuredByEveryMethodThatTakesThem) {
  const auto c = symmetric_channel(4000, 5, 0.2, 5);
  for (const auto* spec : {"l1out", "vib", "barber-agakov", "infonce", "nwj", "mine", "smile"}) {
    EXPECT_NEAR(run(std::string(spec) + "(epochs=25,rate=0.01,hidden=32)", c.x, c.y).value, c.information, 0.12)
        << spec;
  }
  const auto club = run("club(epochs=25,rate=0.01,hidden=32)", c.x, c.y);
  EXPECT_GT(club.value, c.information);
  EXPECT_THROW(run("club-unit", c.x, c.y), base::UsageError);
}

// A Gaussian's log-density ratio is far off for labels that x tells almost surely; the critics must not start there.
TEST(DiscreteChannel, StrongDependenceIsFoundAtOnce) {
  const auto c = symmetric_channel(4000, 10, 0.05, 17);
  for (const auto* spec : {"infonce(epochs=3)", "nwj(epochs=3)", "mine(epochs=3)"}) {
    const auto estimate = run(spec, c.x, c.y);
    EXPECT_GT(estimate.value, 0.9 * c.information) << spec;
    EXPECT_LT(estimate.low, c.information) << spec;
  }
}

TEST(Ksg, MeasuresALabelFromANumber) {
  auto random = tensor::make_generator(torch::kCPU, 6, "test");
  const auto y = torch::randint(2, {2000}, random, torch::kInt64);
  const auto x = 100.0 * y + torch::randn({2000}, random);  // separate classes: all of H(y)
  EXPECT_NEAR(run("ksg", x, y).value, std::log(2.0), 0.01);
}

TEST(Ksg, CountsCopiesOfDiscreteVariables) {
  const auto c = symmetric_channel(3000, 4, 0.2, 15);
  EXPECT_NEAR(run("ksg", c.x, c.y).value, c.information, 0.04);
  EXPECT_NEAR(run("ksg", c.x, c.y.to(torch::kFloat32)).value, c.information, 0.04);
}

// Rotating, scaling and shifting either variable, and reordering the pairs, changes no information; estimates move only
// by rounding (maps) or by another split (order).
TEST(Invariance, InvertibleMapsAndOrder) {
  const auto c = gaussians(2000, 4, 1.5, 7);
  auto random = tensor::make_generator(torch::kCPU, 8, "test");
  const auto map = torch::randn({4, 4}, random) + 3 * torch::eye(4);
  const auto order = torch::randperm(2000, random, torch::kInt64);
  for (const auto* spec : {"l1out(epochs=0)", "infonce(epochs=0)", "club(epochs=0)"}) {
    const double plain = run(spec, c.x, c.y).value;
    EXPECT_NEAR(run(spec, 1000 * c.x + 5, 0.001 * c.y - 70).value, plain, 1e-2) << spec;
    const std::string linear =
        std::string(spec).replace(std::string(spec).find("epochs=0"), 8, "epochs=0,transform=standard");
    EXPECT_NEAR(run(linear, c.x.matmul(map), c.y).value, run(linear, c.x, c.y).value, 1e-2) << spec;
    EXPECT_NEAR(run(spec, c.x.index_select(0, order), c.y.index_select(0, order)).value, plain, 0.2 * plain) << spec;
  }
}

TEST(Estimator, IsReproducibleFromItsSeed) {
  const auto c = gaussians(1000, 3, 1.0, 9);
  EXPECT_EQ(run("nwj(epochs=2)", c.x, c.y).value, run("nwj(epochs=2)", c.x, c.y).value);
}

TEST(Estimator, RefusesThePairsItWasFittedTo) {
  const auto c = gaussians(200, 2, 1.0, 10);
  const auto pairs = make_pairs(c.x, c.y);
  const auto estimator = make_estimator("l1out(epochs=0)");
  EXPECT_THROW(estimator->estimate(pairs), base::Error);
  estimator->fit(pairs, 0);
  EXPECT_THROW(estimator->estimate(pairs), base::Error);
}

// A split that is handed over is used as it is: what it gives is what measure() gives for its own split.
TEST(Measure, TakesASplitOfItsCaller) {
  const auto c = gaussians(600, 3, 1.0, 16);
  const auto pairs = make_pairs(c.x, c.y);
  const auto split = split_pairs(pairs, kQuick.held_out, kQuick.seed);
  const auto given = measure(*make_estimator("l1out(epochs=1)"), split, kQuick);
  EXPECT_EQ(given.value, measure(*make_estimator("l1out(epochs=1)"), pairs, kQuick).value);
  EXPECT_EQ(given.pairs, split.held_out.size());
  EXPECT_EQ(measure(*make_estimator("ksg"), split, kQuick).pairs, split.held_out.size());
  EXPECT_EQ(measure(*make_estimator("ksg"), pairs, kQuick).pairs, 600);
}

TEST(PermutationTest, TellsInformationFromNone) {
  auto random = tensor::make_generator(torch::kCPU, 12, "test");
  const MeasureOptions tested{.held_out = 0.5, .permutations = 49, .seed = 2};
  const auto c = gaussians(1000, 3, 0.5, 13);
  EXPECT_LE(run("infonce(epochs=2)", c.x, c.y, tested).health.p_value.value(), 0.05);
  const auto noise = run("infonce(epochs=2)", c.x, torch::randn({1000, 3}, random), tested);
  EXPECT_GT(noise.health.p_value.value(), 0.05);
  EXPECT_THAT(noise.health.flags(), Contains("indistinguishable"));
}

TEST(InfoNce, ReportsItsCeiling) {
  const auto c = gaussians(400, 20, 30.0, 14);
  const auto estimate = run("infonce(epochs=0)", c.x, c.y);
  EXPECT_LE(estimate.value, std::log(200.0) + 1e-5) << "computed in single precision";
  EXPECT_NEAR(estimate.health.ceiling_value, std::log(200.0), 1e-9);
  EXPECT_THAT(estimate.health.flags(), Contains("ceiling"));
}

}  // namespace
}  // namespace infoscissors::mi
