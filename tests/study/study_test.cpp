#include "infoscissors/study/study.h"

#include "infoscissors/base/file.h"
#include "tests/study/fixture.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"

namespace infoscissors::study {
namespace {

using base::Json;
using tests::message_of;
using tests::TemporaryDirectory;
namespace fs = std::filesystem;

results::RunRecord store(const fs::path& directory, const Fabricated& wanted) {
  fs::create_directories(directory);
  const auto record = record_of(wanted);
  results::save_run(directory, record);
  return record;
}

Json planned(const results::RunRecord& record, std::vector<std::string> attacks) {
  return {{"run", record.config_hash}, {"dataset", "Fashion"}, {"backbone", "small"}, {"width", 0.5},
          {"cut", "shallow"},          {"defense", "noise"},   {"strength", 0.3},     {"seed", record.seed},
          {"spec", record.defense},    {"attacks", attacks}};
}

void store_plan(const fs::path& directory, const Json& runs, int schema = 1) {
  base::write_json(directory / "sweep.json", {{"schema", schema}, {"name", "figure4"}, {"runs", runs}});
}

TEST(Load, ReadsRunsAndDirectoriesOfRuns) {
  const TemporaryDirectory directory;
  store(directory / "a", {});
  store(directory / "b", {.defense = "an"});
  EXPECT_EQ(load({directory / "a"}).entries.size(), 1U);
  EXPECT_EQ(load({directory.path()}).entries.size(), 2U);
  EXPECT_EQ(load({directory / "a", directory.path()}).entries.size(), 2U);  // a once
}

TEST(Load, ReadsWhatMiPrinted) {
  const TemporaryDirectory directory;
  store(directory / "a", {});
  base::write_json(directory / "a" / "mi.json",
                   {{"estimates", {{{"quantity", "I(v; y)"}, {"estimator", "club"}, {"value", 1.5}}}}});
  EXPECT_EQ(load({directory / "a"}).rows.back().metric, "I(v; y) club");
}

TEST(Load, PrefersADirectoryToATable) {
  const TemporaryDirectory directory;
  store(directory / "a", {});
  base::write_file(directory / "old.csv", to_csv(load({directory / "a"}).rows));
  store(directory / "a", {.accuracy = 0.5});
  store(directory / "b", {.defense = "an"});
  const auto both = load({directory / "old.csv", directory / "a"});
  EXPECT_EQ(both.rows.size(), 10U);
  EXPECT_EQ(both.rows.front().value, 0.5);
  EXPECT_EQ(load({directory / "old.csv", directory / "b"}).rows.size(), 20U);
}

TEST(Load, TakesASweepsLabelsAndKnowsWhatIsMissing) {
  const TemporaryDirectory directory;
  const auto done = record_of({.defense = "an(scale=0.3)"});
  store(directory / "runs" / done.config_hash, {.defense = "an(scale=0.3)"});
  const auto absent = record_of({.defense = "an(scale=0.3)", .seed = 1});
  const auto broken = record_of({.defense = "an(scale=0.3)", .seed = 2});
  fs::create_directories(directory / "runs" / broken.config_hash);
  base::write_json(directory / "runs" / broken.config_hash / "error.json", {{"error", "the disk is full\nreally"}});
  store_plan(directory.path(),
             {planned(done, {"rmle", "ka(decoder=linear)"}), planned(absent, {}), planned(broken, {})});
  const auto study = load({directory.path()});
  EXPECT_EQ(study.name, "figure4");
  ASSERT_EQ(study.entries.size(), 1U);
  EXPECT_EQ(study.entries.front().labels.defense, "noise");
  EXPECT_EQ(study.rows.front().labels.cut, "shallow");
  ASSERT_EQ(study.missing.size(), 3U);
  EXPECT_EQ(study.missing[0].attack, "ka(decoder=linear)");
  EXPECT_EQ(study.missing[0].reason, "not run");
  EXPECT_EQ(study.missing[1].labels.seed, 1U);
  EXPECT_EQ(study.missing[1].reason, "not run");
  EXPECT_EQ(study.missing[2].reason, "failed: the disk is full");
}

TEST(Load, CountsWhatALongTableHolds) {
  const TemporaryDirectory directory;
  const auto record = record_of({.defense = "an"});
  base::write_file(directory / "results.csv", to_csv(rows_of(record, labels_of(record), {}, nullptr)));
  fs::create_directories(directory / "sweep");
  store_plan(directory / "sweep", Json::array({planned(record, {"rmle"})}));
  EXPECT_EQ(load({directory / "sweep"}).missing.size(), 1U);
  EXPECT_TRUE(load({directory / "sweep", directory / "results.csv"}).missing.empty());
}

TEST(Load, ReportsRunsThatDidNotFinish) {
  const TemporaryDirectory directory;
  auto record = record_of({.defense = "an"});
  const auto run = directory / "runs" / record.config_hash;
  fs::create_directories(run);
  record.status = results::kInterrupted;
  record.trained = false;
  record.measures.clear();
  record.attacks.clear();
  results::save_run(run, record);
  store_plan(directory.path(), Json::array({planned(record, {"rmle"})}));
  const auto study = load({directory.path()});
  ASSERT_EQ(study.missing.size(), 1U);
  EXPECT_EQ(study.missing.front().reason, "interrupted");
}

TEST(Load, RefusesWhatHoldsNoRuns) {
  const TemporaryDirectory directory;
  const auto path = directory.path().string();
  EXPECT_EQ(message_of([&] { load({directory.path()}); }),
            path + ": holds no runs: neither metrics.json nor sweep.json, nor a directory with one");
  EXPECT_EQ(message_of([&] { load({directory / "nowhere"}); }),
            path + "/nowhere: there is no such directory or table of runs");
  store_plan(directory.path(), Json::array(), 99);
  EXPECT_EQ(message_of([&] { load({directory.path()}); }),
            path + "/sweep.json: has schema 99, but this version reads up to 1: use a newer one");
  store_plan(directory.path(), Json::array({Json{{"run", "../escape"}}}));
  EXPECT_EQ(message_of([&] { load({directory.path()}); }),
            path + "/sweep.json: key 'runs[0].run' must be a path inside the run directory, got \"../escape\"");
  store_plan(directory.path(), Json::array());
  EXPECT_EQ(message_of([&] { load({directory.path()}); }), "there are no runs to look at");
}

}  // namespace
}  // namespace infoscissors::study
