#include "infoscissors/sweep/state.h"

#include "infoscissors/results/record.h"
#include "infoscissors/sweep/estimate.h"
#include "infoscissors/sweep/resources.h"
#include "infoscissors/sweep/status.h"

#include "tests/support/expect_error.h"
#include "tests/sweep/support.h"

#include <gtest/gtest.h>

namespace infoscissors::sweep {
namespace {

/// A sweep of one undefended run at two seeds, and what a run leaves behind.
class State : public testing::Test {
 protected:
  const PlannedRun& first() const { return plan.runs[0]; }
  std::filesystem::path path() const { return run_directory(directory.path(), first().hash); }

  void record(std::vector<std::string> attacks, bool trained = true) const {
    results::RunRecord record;
    record.config = first().config;
    record.trained = trained;
    record.train_seconds = 10;
    for (const auto& spec : attacks) {
      results::AttackRecord attack;
      attack.name = "a";
      attack.spec = spec;
      attack.view = "black-box";
      attack.goal = "prediction";
      attack.seconds = 5;
      record.attacks.push_back(attack);
    }
    base::ensure_directory(path());
    results::save_run(path(), record);
  }

  RunState read(const Finished& finished = {}) const { return read_state(directory.path(), first(), finished); }

  tests::TemporaryDirectory directory;
  Plan plan = plan_with("[[defenses]]\nspec = \"none\"\n");
};

TEST_F(State, FollowsWhatLiesOnTheDisk) {
  EXPECT_EQ(read().missing.size(), 2U);
  EXPECT_FALSE(read().done());
  record({"pmc"});
  EXPECT_TRUE(read().trained);
  EXPECT_EQ(read().missing, (std::vector<std::string>{"ka(decoder=linear)"}));
  record({"pmc", "ka(decoder=linear)"});
  EXPECT_TRUE(read().done());
  EXPECT_EQ(read().seconds, 20);
  record({"pmc", "ka(decoder=linear)"}, /*trained=*/false);
  EXPECT_FALSE(read().done());
}

TEST_F(State, BelievesATableOfFinishedResults) {
  EXPECT_FALSE(read({{first().hash, {"", "pmc"}}}).done());
  EXPECT_EQ(read({{first().hash, {"", "pmc"}}}).missing, (std::vector<std::string>{"ka(decoder=linear)"}));
  const auto all = read({{first().hash, {"pmc", "ka(decoder=linear)"}}});
  EXPECT_TRUE(all.in_table);
  EXPECT_TRUE(all.done());
  EXPECT_FALSE(all.trained) << "its network is not here, if another run needs it";
  EXPECT_FALSE(read({{"another", {"pmc", "ka(decoder=linear)"}}}).done());
  record({"pmc"});
  EXPECT_TRUE(read({{first().hash, {"ka(decoder=linear)"}}}).done()) << "half here, half in the table";
}

TEST_F(State, KeepsAFailureUntilItIsForgotten) {
  record_failure(directory.path(), first(), "it broke");
  record_failure(directory.path(), first(), "it broke again");
  EXPECT_TRUE(read().failed);
  EXPECT_EQ(read().error, "it broke again");
  EXPECT_EQ(base::read_json(path() / kErrorFile).at("attempts"), 2);
  clear_failure(directory.path(), first());
  EXPECT_FALSE(read().failed);
}

TEST_F(State, StopsAtARecordOfANewerSchema) {
  record({});
  auto document = base::read_json(path() / results::kRecordFile);
  document["schema"] = 99;
  base::write_json(path() / results::kRecordFile, document);
  EXPECT_THAT(tests::message_of([&] { read(); }), testing::HasSubstr("schema 99"));
  const auto status = read_status(directory.path(), plan);
  EXPECT_EQ(status[0].phase, "failed") << "seen from outside the rest is still shown";
  EXPECT_EQ(status[1].phase, "waiting");
}

TEST_F(State, StopsAtAttacksThatWereMeasuredOnOtherImages) {
  record({"pmc"});
  plan.runs[0].config["evaluate"]["images"] = 5;
  EXPECT_THAT(tests::message_of([&] { read(); }), testing::HasSubstr("[evaluate] images = 128, but the sweep wants 5"));
}

TEST_F(State, EstimatesFromWhatWasMeasured) {
  const auto assumed = estimate(directory.path(), plan, {});
  EXPECT_EQ(assumed.measured, 0);
  EXPECT_EQ(assumed.attacks, 4);
  EXPECT_NEAR(assumed.seconds, 2 * 96 * 8 * kAssumedImagePass + 4 * kAssumedAttack, 1e-9);
  EXPECT_NEAR(assumed.disk, 2 * kAssumedDisk, 1);
  record({"pmc"});
  base::write_json(path() / kUsageFile, {{"memory", 1e6}});
  const auto measured = estimate(directory.path(), plan, {});
  EXPECT_EQ(measured.measured, 1);
  EXPECT_EQ(measured.attacks, 3);
  EXPECT_NEAR(measured.seconds, 10 + 3 * 5, 1e-9) << "one training, three attacks; an unknown attack as a known one";
  EXPECT_LT(measured.disk, kAssumedDisk / 4);
}

TEST_F(State, IsDescribedForPeople) {
  record({"pmc", "ka(decoder=linear)"});
  record_failure(directory.path(), plan.runs[1], "no such data");
  const auto runs = read_status(directory.path(), plan);
  const auto text = describe(plan, runs);
  EXPECT_THAT(text, testing::StartsWith("test: 1 of 2 runs done, 0 running, 1 failed, 0 waiting\n"));
  EXPECT_THAT(text, testing::HasSubstr("synthetic resnet-small h0c1 none seed 1\n    no such data\n"));
  EXPECT_EQ(to_json(plan, runs).at("failed"), 1);
}

}  // namespace
}  // namespace infoscissors::sweep
