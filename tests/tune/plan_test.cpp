#include "infoscissors/base/error.h"
#include "infoscissors/tune/attackers.h"
#include "infoscissors/tune/tune.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace infoscissors::tune {
namespace {

experiment::RunConfig config() {
  experiment::RunConfig c;
  c.seed = 7;
  c.defense = "an(scale=0.2)";
  c.data.name = "synthetic";
  c.train.epochs = 4;
  return c;
}

std::string refusal(const experiment::RunConfig& c, const TuneOptions& options) {
  try {
    plan(c, options);
  } catch (const base::UsageError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(TunePlan, SearchAndResultHaveSeedsOfTheirOwn) {
  TuneOptions options;
  options.search_seeds = 2;
  const auto schedule = plan(config(), options);
  EXPECT_EQ(schedule.seeds, (std::vector<std::int64_t>{7, 8, 9}));
  EXPECT_EQ(schedule.search_seeds, (std::vector<std::int64_t>{10, 11}));
  EXPECT_EQ(schedule.settings.size(), 5U);
  EXPECT_EQ(schedule.rungs.size(), 3U);
  // Rungs of 5, 3 and 2 settings with the undefended network, two seeds each; then two networks with three.
  EXPECT_EQ(schedule.trainings(), 2 * (6 + 4 + 3) + 6);
}

TEST(TunePlan, AttackersBelongToTheGoal) {
  TuneOptions options;
  for (const std::string goal : {"input", "prediction", "both"}) {
    for (const std::string against : {"paper", "strong"}) {
      options.goal = goal;
      options.against = against;
      EXPECT_EQ(plan(config(), options).attacks, attackers(against, goal));
    }
  }
  EXPECT_THROW(attackers("weak", "input"), base::UsageError);
  EXPECT_THROW(attackers("strong", "output"), base::UsageError);
  auto c = config();
  c.attacks = {"pmc"};
  options.against = "config";
  options.goal = "input";
  EXPECT_EQ(refusal(c, options), "--against config: the configuration's attacks hold none on the input");
  options.goal = "prediction";
  EXPECT_EQ(plan(c, options).attacks, c.attacks);
}

TEST(TunePlan, WhereItIsComputedIsNoPartOfIt) {
  auto other = config();
  other.runtime.threads = 7;
  other.runtime.device = "cuda:1";
  EXPECT_EQ(to_json(plan(other, {}).config), to_json(plan(config(), {}).config));
  other.runtime.precision = "bf16";
  EXPECT_EQ(plan(other, {}).config.runtime.precision, "bf16");
}

TEST(TunePlan, SettingsMayDifferInAnyOption) {
  TuneOptions options;
  options.space = "nopeek(weight=1)+an(scale={0.1|0.2},noise={gaussian|laplace})";
  EXPECT_EQ(plan(config(), options).settings.size(), 4U);
}

TEST(TunePlan, WhatCannotBeTrainedIsRefusedBeforeAnythingStarts) {
  TuneOptions options;
  options.space = "none";
  EXPECT_EQ(refusal(config(), options), "there is no setting of a defence to try");
  options.space = "an(scael={1|2})";
  EXPECT_NE(refusal(config(), options).find("scael"), std::string::npos);
  auto c = config();
  c.defense = "none";
  EXPECT_NE(refusal(c, TuneOptions()).find("--space"), std::string::npos);
}

}  // namespace
}  // namespace infoscissors::tune
