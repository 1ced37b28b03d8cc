#include "infoscissors/sweep/plan.h"

#include "infoscissors/experiment/run.h"

#include "tests/support/expect_error.h"
#include "tests/sweep/support.h"

#include <set>

namespace infoscissors::sweep {
namespace {

constexpr const char* kThree = R"(
[[defenses]]
spec = "none"
[[defenses]]
spec = "an"
strengths = [0.1, 0.3]
[[defenses]]
spec = "nopeek"
strengths = [1]
train = {rate = 0.2}
)";

std::string refusal(const std::string& text) {
  return tests::message_of<base::UsageError>([&] { plan_of(text); });
}

TEST(Plan, IsTheProductOfItsAxesSeedBySeed) {
  const auto plan = plan_with(kThree);
  ASSERT_EQ(plan.runs.size(), 8U);
  std::set<std::string> hashes;
  for (const auto& run : plan.runs) hashes.insert(run.hash);
  EXPECT_EQ(hashes.size(), 8U);
  EXPECT_EQ(plan.runs[0].labels.defense, "none");
  EXPECT_EQ(plan.runs[3].labels.seed, 0);
  EXPECT_EQ(plan.runs[4].labels.seed, 1);
  const auto& an = plan.runs[2];
  EXPECT_EQ(an.defense, "an(scale=0.3)");
  EXPECT_EQ(an.labels.strength, 0.3);
  EXPECT_EQ(an.labels.strength_option, "scale");
  EXPECT_EQ(an.labels.dataset, "synthetic");
  EXPECT_EQ(an.labels.cut, "h0c1");
  EXPECT_EQ(an.labels.width, 0.25);
  EXPECT_EQ(an.attacks, (std::vector<std::string>{"ka(decoder=linear)", "pmc"}));
}

TEST(Plan, SharesTheUndefendedNetworkAndLetsItJudge) {
  const auto plan = plan_with(kThree);
  const auto& none = plan.runs[0];
  EXPECT_EQ(none.source, "");
  EXPECT_EQ(none.judge, "") << "it judges itself";
  EXPECT_EQ(plan.runs[1].source, none.hash);
  EXPECT_EQ(plan.runs[1].judge, "") << "it has the undefended network already";
  EXPECT_EQ(plan.runs[3].source, "") << "nopeek protects by training";
  EXPECT_EQ(plan.runs[3].judge, none.hash);
  EXPECT_EQ(plan.runs[3].config.at("train").at("rate"), 0.2);
  EXPECT_EQ(plan.runs[7].judge, plan.runs[4].hash) << "of its own seed";
}

TEST(Plan, TrainsASourceThatNobodyAskedFor) {
  const auto plan = plan_with("[[defenses]]\nspec = \"an\"\nstrengths = [0.1, 0.2]\n");
  ASSERT_EQ(plan.runs.size(), 6U);
  EXPECT_FALSE(plan.runs[0].wanted);
  EXPECT_TRUE(plan.runs[0].attacks.empty());
  EXPECT_EQ(plan.runs[0].defense, "none");
  EXPECT_EQ(plan.runs[1].source, plan.runs[0].hash) << "and it stands before what needs it";
}

TEST(Plan, TrainsANetworkWithADefenceThatSaysRetrain) {
  const auto plan = plan_with("[[defenses]]\nspec = \"an\"\nstrengths = [0.1]\nretrain = true\n");
  ASSERT_EQ(plan.runs.size(), 2U);
  EXPECT_EQ(plan.runs[0].source, "");
}

// The directory is named before its source exists; the run itself must come to the same name.
TEST(Plan, KnowsTheHashThatTheRunWillHave) {
  const auto plan = plan_with(kThree);
  const tests::TemporaryDirectory directory;
  auto none = experiment::config_from_json(plan.runs[0].config, "plan");
  none.data.auxiliary = none.data.validation = 100;  // the plan's own would do as well, but takes longer
  none.train.epochs = 1;
  none.runtime.precision = "fp32";
  auto source = experiment::Run::start(none, directory / "none");
  source.train();
  auto added = none;
  added.defense = "an(scale=0.1)";
  const auto before = experiment::config_hash(added, source.record().config_hash);
  added.model_from = directory / "none";
  EXPECT_EQ(experiment::Run::start(added, directory / "an").record().config_hash, before);
}

TEST(Plan, KeepsEveryHashWhenItGrows) {
  const auto small = plan_with(kThree);
  std::string text = std::string(kHead) + kThree;
  text.replace(text.find("[0, 1]"), 6, "[0, 1, 2]");
  text.replace(text.find("\"pmc\"]"), 6, "\"pmc\", \"rmle\"]");
  const auto large = plan_of(text);
  EXPECT_EQ(large.runs.size(), 12U);
  EXPECT_EQ(large.base_hash, small.base_hash);
  for (const auto& run : small.runs) EXPECT_EQ(large.find(run.hash).attacks.size(), 3U);
}

TEST(Plan, AxesChangeSectionsAndNameRuns) {
  const auto plan = plan_with(R"toml(
[[datasets]]
data = {channels = 1}
label = "grey"
attacks = ["pmc(labels=20)"]
[[datasets]]
data.channels = 3
[[backbones]]
model.backbone = "vgg11"
[[cuts]]
model.head_stages = 1
model.classifier_layers = 3
[[defenses]]
spec = "none"
)toml");
  ASSERT_EQ(plan.runs.size(), 4U);
  EXPECT_EQ(plan.runs[0].labels.dataset, "grey");
  EXPECT_EQ(plan.runs[0].attacks, (std::vector<std::string>{"pmc(labels=20)"}));
  EXPECT_EQ(plan.runs[1].labels.dataset, "synthetic");
  EXPECT_EQ(plan.runs[1].attacks.size(), 2U);
  EXPECT_EQ(plan.runs[1].labels.backbone, "vgg11");
  EXPECT_EQ(plan.runs[1].labels.cut, "h1c3");
  EXPECT_EQ(plan.runs[1].config.at("data").at("channels"), 3);
}

TEST(Plan, ComesBackFromItsFile) {
  const tests::TemporaryDirectory directory;
  const auto plan = plan_with(kThree);
  store_plan(directory.path(), plan);
  EXPECT_EQ(to_json(load_plan(directory.path())), to_json(plan));
  EXPECT_EQ(load_plan(directory.path()).runs[0].labels.strength, std::nullopt);
}

TEST(Plan, RefusesAnotherSweepInItsDirectory) {
  const tests::TemporaryDirectory directory;
  store_plan(directory.path(), plan_with(kThree));
  std::string other = std::string(kHead) + kThree;
  other.replace(other.find("\"test\""), 6, "\"best\"");
  const auto message = tests::message_of<base::UsageError>([&] { store_plan(directory.path(), plan_of(other)); });
  EXPECT_THAT(message, testing::HasSubstr("holds the sweep 'test', not 'best'; choose another --out"));
  std::string wider = std::string(kHead) + kThree;
  wider.replace(wider.find("0.25"), 4, "0.50");
  EXPECT_THAT(tests::message_of<base::UsageError>([&] { store_plan(directory.path(), plan_of(wider)); }),
              testing::HasSubstr("with another [base]"));
}

TEST(Plan, RefusesANewerSchemaAndDamage) {
  const tests::TemporaryDirectory directory;
  base::write_file(directory / kPlanFile, R"({"schema": 99, "name": "x"})");
  EXPECT_THAT(tests::message_of([&] { load_plan(directory.path()); }), testing::HasSubstr("schema 99"));
  base::write_file(directory / kPlanFile, R"({"schema": 1, "name": "x"})");
  EXPECT_THAT(tests::message_of([&] { load_plan(directory.path()); }), testing::HasSubstr("'sweep_hash' is missing"));
  EXPECT_THAT(tests::message_of<base::UsageError>([&] { load_plan(directory / "nowhere"); }),
              testing::HasSubstr("holds no sweep"));
}

TEST(SweepFile, RefusesWhatHasNothingToRun) {
  EXPECT_THAT(refusal(kHead), testing::HasSubstr("there is no [[defenses]], so there is nothing to run"));
  EXPECT_THAT(refusal("defenses = []"), testing::HasSubstr("defenses is empty"));
  EXPECT_THAT(refusal("seeds = []\n[[defenses]]\nspec = \"none\""), testing::HasSubstr("seeds is empty"));
  EXPECT_THAT(refusal("cuts = []\n[[defenses]]\nspec = \"none\""), testing::HasSubstr("cuts is empty"));
  EXPECT_THAT(refusal("[[defenses]]\nspec = \"an\"\nstrengths = []"), testing::HasSubstr("strengths is empty"));
}

TEST(SweepFile, RefusesWhatItDoesNotKnow) {
  const std::string defense = "[[defenses]]\nspec = \"none\"\n";
  EXPECT_THAT(refusal("sedes = [0]\n" + defense), testing::HasSubstr("there is no key 'sedes': did you mean 'seeds'?"));
  EXPECT_THAT(refusal(defense + "strength = [1]"), testing::HasSubstr("did you mean 'strengths'?"));
  EXPECT_THAT(refusal("seeds = [-1]\n" + defense), testing::HasSubstr("seeds must be a list of whole numbers >= 0"));
  EXPECT_THAT(refusal("seeds = [0.5]\n" + defense), testing::HasSubstr("seeds must be"));
  EXPECT_THAT(refusal("[base]\nseed = 1\n" + defense), testing::HasSubstr("[base] seed is decided by the sweep"));
  EXPECT_THAT(refusal("[base.train]\nepocs = 1\n" + defense), testing::HasSubstr("did you mean 'epochs'?"));
  EXPECT_THAT(refusal("[[defenses]]\nstrengths = [1]"), testing::HasSubstr("spec is missing"));
  EXPECT_THAT(refusal("[[defenses]]\nspec = \"ann\""), testing::HasSubstr("did you mean 'an'?"));
  EXPECT_THAT(refusal("attacks = [\"kaa\"]\n" + defense), testing::HasSubstr("did you mean 'ka'?"));
  EXPECT_THAT(refusal("[[defenses]]\nspec = \"none\"\nstrengths = [1]"), testing::HasSubstr("'none' has no strength"));
  EXPECT_THAT(refusal("[[defenses]]\nspec = \"an(scale={})\""), testing::HasSubstr("but there are no strengths"));
}

TEST(SweepFile, RefusesTwoRunsOfOneName) {
  const auto message = refusal(std::string(kHead) +
                               "[[defenses]]\nspec = \"none\"\n[[defenses]]\nspec = \"none\"\ntrain = {rate = 0.3}\n");
  EXPECT_THAT(message, testing::HasSubstr("two different runs are called"));
  EXPECT_EQ(plan_with("[[defenses]]\nspec = \"none\"\n[[defenses]]\nspec = \"none\"\nlabel = \"fast\"\n"
                      "train = {rate = 0.3}\n")
                .runs.size(),
            4U);
}

}  // namespace
}  // namespace infoscissors::sweep
