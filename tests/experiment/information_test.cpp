#include "infoscissors/experiment/information.h"

#include "infoscissors/data/batches.h"
#include "tests/experiment/support.h"
#include "tests/support/expect_error.h"

#include <gtest/gtest.h>

#include <cmath>

namespace infoscissors::experiment {
namespace {

using testing::HasSubstr;

TEST(HeldOut, HoldsNeitherTrainingImagesNorTheAttackers) {
  const auto bench = make_workbench(tiny_config());
  const auto chosen = hold_out(*bench, 1000, 0.25, 20, 3);
  EXPECT_EQ(chosen.size(), 120);
  EXPECT_EQ(chosen.fitted, 90);
  EXPECT_EQ(std::get<0>(at::_unique(chosen.indices)).size(0), 120) << "an image is held out twice";
  const auto forbidden = torch::cat({bench->splits.train.indices, bench->splits.auxiliary.indices});
  EXPECT_FALSE(chosen.indices.unsqueeze(1).eq(forbidden).any().item<bool>());
  EXPECT_TRUE(torch::equal(hold_out(*bench, 1000, 0.25, 20, 3).indices, chosen.indices));
  EXPECT_FALSE(torch::equal(hold_out(*bench, 1000, 0.25, 20, 4).indices, chosen.indices));
  EXPECT_EQ(hold_out(*bench, 60, 0.5, 20, 3).size(), 60);
}

TEST(HeldOut, RefusesPartsThatAreTooSmall) {
  const auto bench = make_workbench(tiny_config());
  EXPECT_THAT(tests::message_of<base::UsageError>([&] { hold_out(*bench, 1000, 0.9, 20, 3); }),
              HasSubstr("20 are needed to fit"));
  EXPECT_THROW(hold_out(*bench, 1000, 1.0, 20, 3), base::UsageError);
}

TEST(ExposeVariables, BelongToTheirImages) {
  const auto bench = make_workbench(tiny_config());
  const auto chosen = hold_out(*bench, 1000, 0.5, 20, 3);
  const auto variables = expose_variables(*bench, chosen, 8, 3);
  EXPECT_EQ(variables.x.sizes().vec(), (std::vector<std::int64_t>{120, 8}));
  EXPECT_EQ(variables.r.size(1), 8);
  EXPECT_TRUE(torch::equal(variables.y, bench->dataset.labels.index_select(0, chosen.indices)));
  const auto exposed = train::expose(bench->subject(), chosen.indices, bench->runtime, 1);
  EXPECT_TRUE(torch::allclose(variables.v, exposed.features.flatten(1), 1e-4, 1e-5));
  // Components of the fitted part: centred there, and not on the rest.
  EXPECT_LT(variables.x.slice(0, 0, chosen.fitted).mean(0).abs().max().item<float>(), 1e-5F);
  EXPECT_GT(variables.x.slice(0, chosen.fitted).mean(0).abs().max().item<float>(), 1e-3F);
  EXPECT_EQ(variables.described["x"]["columns"], 256);
  EXPECT_LT(variables.described["r"]["explained"].get<double>(), 1.0);
}

// x Gaussian in 4 dimensions, r = x + noise with rho^2 = 1/2 each: I(r; x) = 2 ln 2. v is a five-valued symmetric
// channel of the label, which r does not know. Shows that each quantity gets its own pair of variables and the fitted
// rows are not estimated on; not how good the estimators are.
TEST(MeasureInformation, FindsTheKnownInformationOfEachPair) {
  constexpr std::int64_t kRows = 4000;
  auto random = tensor::make_generator(torch::kCPU, 5, "test");
  Variables known;
  known.x = torch::randn({kRows, 4}, random);
  known.r = known.x + torch::randn({kRows, 4}, random);
  known.y = torch::randint(5, {kRows}, random, torch::kInt64);
  const auto wrong = torch::rand({kRows}, random) < 0.2;
  const auto shift = 1 + torch::randint(4, {kRows}, random, torch::kInt64);
  const auto seen = torch::where(wrong, (known.y + shift).remainder(5), known.y);
  known.v = torch::one_hot(seen, 5).to(torch::kFloat32);
  const auto rows = measure_information(
      known, kRows / 2, {.estimators = {"l1out(epochs=20,rate=0.01,hidden=16)", "club-unit"}, .permutations = 0},
      torch::kCPU);
  const double channel = std::log(5.0) + 0.2 * std::log(0.2 / 4) + 0.8 * std::log(0.8);
  const std::map<std::string, double> truth = {{"I(r; x)", 2 * std::log(2.0)},
                                               {"I(r; y)", 0},
                                               {"I(r; x|y)", 2 * std::log(2.0)},
                                               {"I(v; y)", channel},
                                               {"I(v; x)", 0}};
  ASSERT_EQ(rows.size(), 10U);
  for (const auto& row : rows) {
    if (row.estimator == "club-unit") continue;
    EXPECT_TRUE(row.estimated);
    EXPECT_NEAR(row.estimate.value, truth.at(row.quantity), 0.12) << row.quantity;
    EXPECT_EQ(row.estimate.pairs, kRows / 2);
    EXPECT_EQ(row.estimate.bound, row.quantity == "I(r; x|y)" ? mi::Bound::neither : mi::Bound::upper);
  }
  EXPECT_EQ(rows[4].quantity, "I(r; x|y)");
  EXPECT_DOUBLE_EQ(rows[4].estimate.value, rows[0].estimate.value - rows[2].estimate.value);
  EXPECT_DOUBLE_EQ(rows[4].estimate.low, rows[0].estimate.low - rows[2].estimate.high);
  // club-unit takes no labels: said, and the rest goes on.
  EXPECT_EQ(rows[3].estimator, "club-unit");
  EXPECT_FALSE(rows[3].estimated);
  EXPECT_THAT(to_json(rows[3])["reason"].get<std::string>(), HasSubstr("y must be numbers"));
  EXPECT_TRUE(rows[1].estimated);
  EXPECT_EQ(to_json(rows[0])["quantity"], "I(r; x)");
}

}  // namespace
}  // namespace infoscissors::experiment
