#include "infoscissors/results/record.h"

#include "infoscissors/base/error.h"
#include "infoscissors/base/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <limits>

namespace infoscissors::results {
namespace {

using base::Json;
using testing::AllOf;
using testing::HasSubstr;

RunRecord example() {
  RunRecord record;
  record.status = kComplete;
  record.defense = "infoscissors(input=0.2)";
  record.command = "infoscissors run --config a.toml";
  record.config_hash = "0123456789abcdef0123456789abcdef";
  record.seed = 18446744073709551615u;
  record.version = "0.1.0";
  record.commit = "deadbeef";
  record.libtorch = "1.13.1";
  record.machine = {{"cores", 2}};
  record.config = {{"train", {{"epochs", 3}, {"lr", 0.1}}}};
  record.data = {{"name", "synthetic"}, {"classes", {"a", "b"}}};
  record.trained = true;
  record.train_seconds = 12.25;
  record.epochs = {{1, {{"loss", 0.1}, {"accuracy", 1.0 / 3}}}, {2, {{"loss", 1e-300}}}};
  record.warnings = {"the input term is saturated"};
  record.measures = {{"accuracy", 0.8999999999999999}};
  record.originals = "images/originals.npy";
  AttackRecord attack;
  attack.name = "ka";
  attack.spec = "ka(budget=400)";
  attack.view = "black-box";
  attack.goal = "input";
  attack.seed = 7;
  attack.measures = {{"ssim", 0.25}, {"mse", 0.01}};
  attack.seconds = 1.5;
  attack.images = "images/ka-0.npy";
  attack.samples = {{60001, 0.5}, {60002, -0.125}};
  attack.details = {{"queries", 400}};
  record.attacks = {attack};
  return record;
}

// The document of `record` after a trip through its printed form.
RunRecord round_trip(const RunRecord& record) {
  return from_json(Json::parse(to_json(record).dump()), "m.json");
}

std::string error_of(const Json& document) {
  try {
    from_json(document, "m.json");
  } catch (const base::Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Record, EveryMemberSurvivesARoundTrip) {
  const RunRecord before = example();
  const RunRecord after = round_trip(before);
  EXPECT_EQ(after.status, before.status);
  EXPECT_EQ(after.defense, before.defense);
  EXPECT_EQ(after.command, before.command);
  EXPECT_EQ(after.config_hash, before.config_hash);
  EXPECT_EQ(after.seed, before.seed);
  EXPECT_EQ(after.version, before.version);
  EXPECT_EQ(after.commit, before.commit);
  EXPECT_EQ(after.libtorch, before.libtorch);
  EXPECT_EQ(after.machine, before.machine);
  EXPECT_EQ(after.config, before.config);
  EXPECT_EQ(after.data, before.data);
  EXPECT_EQ(after.trained, before.trained);
  EXPECT_EQ(after.train_seconds, before.train_seconds);
  ASSERT_EQ(after.epochs.size(), 2u);
  EXPECT_EQ(after.epochs[0].epoch, 1);
  EXPECT_EQ(after.epochs[0].values, before.epochs[0].values);
  EXPECT_EQ(after.epochs[1].values, before.epochs[1].values);
  EXPECT_EQ(after.warnings, before.warnings);
  EXPECT_EQ(after.measures, before.measures);
  EXPECT_EQ(after.originals, before.originals);
  ASSERT_EQ(after.attacks.size(), 1u);
  EXPECT_EQ(to_json(after), to_json(before));
}

TEST(Record, EveryAttackMemberSurvivesARoundTrip) {
  const AttackRecord before = example().attacks[0];
  const AttackRecord after = round_trip(example()).attacks.at(0);
  EXPECT_EQ(after.name, before.name);
  EXPECT_EQ(after.spec, before.spec);
  EXPECT_EQ(after.view, before.view);
  EXPECT_EQ(after.goal, before.goal);
  EXPECT_EQ(after.seed, before.seed);
  EXPECT_EQ(after.measures, before.measures);
  EXPECT_EQ(after.seconds, before.seconds);
  EXPECT_EQ(after.images, before.images);
  EXPECT_EQ(after.details, before.details);
  ASSERT_EQ(after.samples.size(), 2u);
  EXPECT_EQ(after.samples[0].index, 60001);
  EXPECT_EQ(after.samples[1].ssim, -0.125);
}

TEST(Record, AFreshRecordIsValid) {
  const RunRecord after = round_trip(RunRecord{});
  EXPECT_EQ(after.status, kRunning);
  EXPECT_FALSE(after.trained);
}

TEST(Record, NumbersThatJsonCannotHoldComeBackAsNan) {
  RunRecord record = example();
  record.measures["accuracy"] = std::numeric_limits<double>::quiet_NaN();
  record.epochs[0].values["loss"] = std::numeric_limits<double>::infinity();
  record.attacks[0].samples[0].ssim = std::numeric_limits<double>::quiet_NaN();
  record.attacks[0].details = {{"losses", {1.0, -std::numeric_limits<double>::infinity()}}};
  const Json document = to_json(record);
  EXPECT_TRUE(document["measures"]["accuracy"].is_null());
  EXPECT_TRUE(document["epochs"][0]["values"]["loss"].is_null());
  EXPECT_TRUE(document["attacks"][0]["details"]["losses"][1].is_null());
  const RunRecord after = round_trip(record);
  EXPECT_TRUE(std::isnan(after.measures.at("accuracy")));
  EXPECT_TRUE(std::isnan(after.epochs[0].values.at("loss")));
  EXPECT_TRUE(std::isnan(after.attacks[0].samples[0].ssim));
  EXPECT_EQ(after.attacks[0].samples[1].ssim, -0.125);
}

TEST(Record, EveryKeyIsRequiredAndNamed) {
  const Json whole = to_json(example());
  for (const auto& [key, value] : whole.items()) {
    Json document = whole;
    document.erase(key);
    EXPECT_EQ(error_of(document), "m.json: key '" + key + "' is missing");
  }
  for (const auto& [key, value] : whole["attacks"][0].items()) {
    Json document = whole;
    document["attacks"][0].erase(key);
    EXPECT_EQ(error_of(document), "m.json: key 'attacks[0]." + key + "' is missing");
  }
}

TEST(Record, EveryKeyIsCheckedForItsType) {
  const Json whole = to_json(example());
  const auto check = [](const Json& document, const std::string& key) {
    EXPECT_THAT(error_of(document), HasSubstr("m.json: key '" + key + "' must be")) << key;
  };
  for (const auto& [key, value] : whole.items()) {
    Json document = whole;
    document[key] = value.is_array() ? Json::object() : Json::array();
    check(document, key);
  }
  for (const auto& [key, value] : whole["attacks"][0].items()) {
    Json document = whole;
    document["attacks"][0][key] = value.is_array() ? Json::object() : Json::array();
    check(document, "attacks[0]." + key);
  }
}

TEST(Record, WrongValuesAreNamed) {
  const auto with = [](const char* pointer, const Json& value) {
    Json document = to_json(example());
    document[Json::json_pointer(pointer)] = value;
    return error_of(document);
  };
  EXPECT_EQ(with("/measures/accuracy", "high"),
            "m.json: key 'measures.accuracy' must be a number or null, got \"high\"");
  EXPECT_EQ(with("/epochs/1/epoch", 0), "m.json: key 'epochs[1].epoch' must be a whole number >= 1, got 0");
  EXPECT_EQ(with("/epochs/1/epoch", 1.5), "m.json: key 'epochs[1].epoch' must be a whole number >= 1, got 1.5");
  EXPECT_EQ(with("/seed", -1), "m.json: key 'seed' must be a whole number >= 0, got -1");
  EXPECT_THAT(with("/attacks/0/samples/1/index", 18446744073709551615u), HasSubstr("'attacks[0].samples[1].index'"));
  EXPECT_THAT(with("/status", "done"), HasSubstr("one of running, interrupted, failed, complete, got \"done\""));
  EXPECT_THAT(with("/attacks/0/goal", "fun"), HasSubstr("'attacks[0].goal' must be one of input, prediction"));
  EXPECT_LT(with("/status", std::string(100000, 'x')).size(), 300u);
}

TEST(Record, FilesOutsideTheRunDirectoryAreRefused) {
  for (const char* name : {"/etc/passwd", "../other/x.npy", "images/../../x.npy"}) {
    Json document = to_json(example());
    document["attacks"][0]["images"] = name;
    EXPECT_THAT(error_of(document), HasSubstr("'attacks[0].images' must be a path inside the run directory")) << name;
  }
}

TEST(Record, ANewerSchemaIsRefusedBeforeAnythingElse) {
  EXPECT_EQ(error_of({{"schema", kSchema + 1}}),
            "m.json: has schema 2, but this version reads up to 1: use a newer one");
  EXPECT_THAT(error_of(Json::array()), HasSubstr("m.json: the document must be an object, got []"));
}

TEST(Record, UnknownKeysArePassedOver) {
  Json document = to_json(example());
  document["remark"] = "kept by someone else";
  EXPECT_EQ(from_json(document, "m.json").config_hash, example().config_hash);
}

TEST(Record, DocumentedExampleIsValid) {
  const auto root = std::filesystem::path(INFOSCISSORS_TEST_DATA).parent_path().parent_path().parent_path();
  const std::string text = base::read_file(root / "docs" / "metrics.md");
  const auto begin = text.find("```json\n");
  ASSERT_NE(begin, std::string::npos);
  const auto end = text.find("```\n", begin + 8);
  const Json document = Json::parse(text.substr(begin + 8, end - begin - 8));
  const RunRecord record = from_json(document, "docs/metrics.md");
  EXPECT_EQ(to_json(record), document);
}

TEST(RunDirectory, SavesAndLoads) {
  const std::filesystem::path directory = testing::TempDir() + "infoscissors-record";
  std::filesystem::create_directories(directory);
  save_run(directory, example());
  EXPECT_EQ(to_json(load_run(directory)), to_json(example()));
  std::filesystem::remove_all(directory);
}

TEST(RunDirectory, ErrorsNameWhatIsWrong) {
  const std::filesystem::path directory = testing::TempDir() + "infoscissors-norun";
  const auto error = [&] {
    try {
      load_run(directory);
    } catch (const base::Error& e) {
      return std::string(e.what());
    }
    return std::string("no error");
  };
  std::filesystem::remove_all(directory);
  EXPECT_EQ(error(), directory.string() + ": is not a run directory: there is no such directory");
  std::filesystem::create_directories(directory);
  EXPECT_EQ(error(), directory.string() + ": is not a run directory: it has no metrics.json");
  base::write_file(directory / "metrics.json", "{\"schema\": 1,");
  EXPECT_THAT(error(), AllOf(HasSubstr("metrics.json"), HasSubstr("not valid JSON")));
  std::filesystem::remove_all(directory);
}

TEST(PutAttack, ReplacesTheSameSpecAndSeedOnly) {
  RunRecord record = example();
  AttackRecord attack = record.attacks[0];
  attack.measures = {{"ssim", 0.75}};
  put_attack(record, attack);
  ASSERT_EQ(record.attacks.size(), 1u);
  EXPECT_EQ(record.attacks[0].measures.at("ssim"), 0.75);
  attack.seed = 8;
  put_attack(record, attack);
  attack.spec = "ka";
  put_attack(record, attack);
  ASSERT_EQ(record.attacks.size(), 3u);
  EXPECT_EQ(record.attacks[1].seed, 8u);
  EXPECT_EQ(record.attacks[2].spec, "ka");
}

}  // namespace
}  // namespace infoscissors::results
