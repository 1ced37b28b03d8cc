#include "infoscissors/tracking/log.h"

#include "infoscissors/base/file.h"
#include "infoscissors/tracking/crc32c.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"

#include <cmath>
#include <cstring>

namespace infoscissors::tracking {
namespace {

using testing::HasSubstr;
using tests::message_of;
using tests::TemporaryDirectory;
namespace fs = std::filesystem;

// RFC 3720, appendix B.4.
TEST(Crc32c, EqualsThePublishedValues) {
  EXPECT_EQ(crc32c("123456789"), 0xE3069283U);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAU);
  EXPECT_EQ(crc32c(std::string(32, '\xFF')), 0x62A8AB43U);
  EXPECT_EQ(crc32c(""), 0U);
}

study::Entry stored(const fs::path& directory, std::uint64_t seed = 3) {
  fs::create_directories(directory);
  results::RunRecord record;
  record.status = results::kComplete;
  record.defense = "an(scale=0.3)";
  record.command = "infoscissors run x.toml --out 'y'";
  record.config_hash = fmt::format("0123456789abcdef0123456789abcde{}", seed);
  record.seed = seed;
  record.commit = "abc";
  record.config = {{"data", {{"name", "fashion-mnist"}}},
                   {"model", {{"backbone", "net"}, {"width", 0.5}}},
                   {"train", {{"epochs", 2}}}};
  record.trained = true;
  record.train_seconds = 10;
  record.epochs = {{1, {{"loss", 0.5}, {"validation_accuracy", NAN}}},
                   {2, {{"loss", 0.25}, {"validation_accuracy", 0.75}}}};
  record.measures = {{"accuracy", 0.875}};
  results::AttackRecord attack;
  attack.name = "ka";
  attack.spec = "ka(budget=40,decoder=res)";
  attack.view = "black-box";
  attack.goal = "input";
  attack.seed = seed;
  attack.measures = {{"ssim", 0.5}};
  attack.seconds = 2;
  record.attacks = {attack};
  results::save_run(directory, record);
  return study::load({directory}).entries.front();
}

TEST(Log, HoldsCurvesMeasuresAndConfiguration) {
  const TemporaryDirectory directory;
  const auto log = log_of(stored(directory / "run"));
  EXPECT_EQ(log.name, "fashion-mnist net x0.5 h0c1/an 0.3/seed 3");
  std::vector<std::string> lines;
  for (const auto& scalar : log.scalars)
    lines.push_back(fmt::format("{} {} {}", scalar.tag, scalar.step, scalar.value));
  EXPECT_EQ(lines,
            (std::vector<std::string>{"train/loss 1 0.5", "train/loss 2 0.25", "train/validation_accuracy 2 0.75",
                                      "test/accuracy 2 0.875", "attack/ka budget-40 decoder-res/ssim 2 0.5"}));
  EXPECT_EQ(log.parameters.at("train.epochs"), "2");
  EXPECT_EQ(log.parameters.at("defense"), "an(scale=0.3)");
  EXPECT_EQ(log.seconds, 12);
}

TEST(SafeName, StaysInsideItsDirectory) {
  EXPECT_EQ(safe_name("infoscissors(input=0.2)+an(scale=3)"), "infoscissors input-0.2 and an scale-3");
  EXPECT_EQ(safe_name("../../etc/passwd"), "_/_/etc/passwd");
  EXPECT_EQ(safe_name("/a//b/"), "_/a/_/b/_");
  EXPECT_EQ(safe_name("I(r; x|y)\n"), "I r  x y");
}

// Framed by hand: length, its checksum, message, its checksum.
TEST(EventFile, BeginsWithItsVersion) {
  const TemporaryDirectory directory;
  const auto file = event_file(log_of(stored(directory / "run")));
  std::uint64_t length = 0;
  std::memcpy(&length, file.data(), sizeof length);
  ASSERT_EQ(length, 9U + 2 + 13);  // a double with its key; the text with its key and length
  std::uint32_t check = 0;
  std::memcpy(&check, file.data() + 8, sizeof check);
  EXPECT_EQ(check, masked_crc32c(file.substr(0, 8)));
  std::memcpy(&check, file.data() + 12 + length, sizeof check);
  EXPECT_EQ(check, masked_crc32c(file.substr(12, length)));
  EXPECT_EQ(file.substr(12 + 11, 13), "brain.Event:2");
}

TEST(TensorBoard, WritesOneFileARunAndReplacesIt) {
  const TemporaryDirectory directory;
  const std::vector<Log> logs = {log_of(stored(directory / "a", 1)), log_of(stored(directory / "b", 2))};
  const std::vector<Image> images = {{"figure 4", "\x89PNG...", 800, 400}};
  for (int time = 0; time < 2; ++time) EXPECT_EQ(write_tensorboard(logs, images, directory / "events"), 3U);
  int files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(directory / "events"))
    files += entry.is_regular_file() ? 1 : 0;
  EXPECT_EQ(files, 3);
  EXPECT_TRUE(
      fs::exists(directory / "events/fashion-mnist net x0.5 h0c1/an 0.3/seed 1/events.out.tfevents.0.infoscissors"));
}

TEST(MlFlow, HasTheLayoutOfTheFileStore) {
  const TemporaryDirectory directory;
  const auto log = log_of(stored(directory / "run"));
  EXPECT_EQ(write_mlflow({log}, {{"figure 4", "PNG", 8, 4}}, "it's a study", directory / "mlruns"), 2U);
  std::vector<fs::path> experiments;
  for (const auto& entry : fs::directory_iterator(directory / "mlruns")) experiments.push_back(entry.path());
  ASSERT_EQ(experiments.size(), 1U);
  const auto id = experiments.front().filename().string();
  EXPECT_EQ(id.find_first_not_of("0123456789"), std::string::npos);
  const auto meta = base::read_file(experiments.front() / "meta.yaml");
  EXPECT_THAT(meta, HasSubstr("experiment_id: '" + id + "'\n"));
  EXPECT_THAT(meta, HasSubstr("name: 'it''s a study'\n"));
  const auto run = experiments.front() / log.id;
  EXPECT_THAT(base::read_file(run / "meta.yaml"), HasSubstr("run_id: " + log.id + "\n"));
  EXPECT_THAT(base::read_file(run / "meta.yaml"), HasSubstr("status: 3\n"));
  const auto loss = base::read_file(run / "metrics/train/loss");
  EXPECT_THAT(loss, testing::MatchesRegex("[0-9]+ 0\\.5 1\n[0-9]+ 0\\.25 2\n"));
  EXPECT_THAT(base::read_file(run / "metrics/attack/ka budget-40 decoder-res/ssim"), HasSubstr(" 0.5 2\n"));
  EXPECT_EQ(base::read_file(run / "params/train.epochs"), "2");
  EXPECT_EQ(base::read_file(run / "tags/mlflow.runName"), log.name);
  EXPECT_TRUE(fs::is_directory(run / "artifacts"));
  int figures = 0;
  for (const auto& entry : fs::recursive_directory_iterator(experiments.front()))
    figures += entry.path().extension() == ".png" ? 1 : 0;
  EXPECT_EQ(figures, 1);
}

TEST(MlFlow, RefusesARunWhoseHashIsNoName) {
  const TemporaryDirectory directory;
  auto log = log_of(stored(directory / "run"));
  log.id = "../escape";
  EXPECT_THAT(message_of([&] { write_mlflow({log}, {}, "x", directory / "mlruns"); }), HasSubstr("'../escape'"));
}

}  // namespace
}  // namespace infoscissors::tracking
