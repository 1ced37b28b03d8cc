#include "tests/report/fixture.h"

#include "infoscissors/base/file.h"
#include "infoscissors/base/hash.h"
#include "infoscissors/base/npy.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>

namespace infoscissors::report {
namespace {

using results::AttackRecord;
using results::RunRecord;

constexpr int kSide = 28;

// A disc, a ring, a cross and stripes, in turn and in different places.
double shape(int index, int row, int column) {
  const double y = (row - 13.5 + index % 3) / 10.0;
  const double x = (column - 13.5 - index % 2) / 10.0;
  const double r = std::hypot(x, y);
  if (index % 4 == 0) return r < 1 ? 0.9 - 0.3 * y : 0;
  if (index % 4 == 1) return std::abs(r - 0.8) < 0.25 ? 0.8 : 0;
  if (index % 4 == 2) return std::min(std::abs(x), std::abs(y)) < 0.25 && r < 1.2 ? 1 : 0;
  return r < 1.2 && std::sin(8 * x) > 0 ? 0.85 : 0;
}

// Mixes with the mean of all shapes and with noise, as a weak attacker's picture looks.
double degraded(int index, int row, int column, double blur) {
  double mean = 0;
  for (int i = 0; i < 4; ++i) mean += shape(i, row, column) / 4;
  const auto noise = base::hash64(fmt::format("{} {} {}", index, row, column)) % 1000 / 1000.0 - 0.5;
  return std::clamp((1 - blur) * shape(index, row, column) + blur * (mean + 0.4 * noise), 0.0, 1.0);
}

void write_images(const std::filesystem::path& file, int count, double blur) {
  base::NpyArray array{.dtype = "|u1", .shape = {count, 1, kSide, kSide}, .data = {}};
  for (int i = 0; i < count; ++i) {
    for (int row = 0; row < kSide; ++row) {
      for (int column = 0; column < kSide; ++column) {
        array.data += static_cast<char>(std::lround(255 * degraded(i, row, column, blur)));
      }
    }
  }
  base::write_npy(file, array);
}

AttackRecord attack_record(const std::string& spec, const std::string& view, const std::string& goal) {
  AttackRecord attack;
  attack.name = spec.substr(0, spec.find('('));
  attack.spec = spec;
  attack.view = view;
  attack.goal = goal;
  attack.seed = 7;
  return attack;
}

AttackRecord reconstruction(const std::string& spec, const std::string& view, double ssim, int images) {
  AttackRecord attack = attack_record(spec, view, "input");
  attack.measures = {{"ssim", ssim}, {"psnr", 8 + 20 * ssim}, {"mse", 0.1 * (1 - ssim)}, {"class_accuracy", ssim}};
  attack.seconds = 74;
  attack.images = "images/" + attack.name + ".npy";
  for (int i = 0; i < images; ++i) attack.samples.push_back({60000 + i, ssim + 0.03 * std::sin(2.0 * i)});
  return attack;
}

std::vector<results::EpochRecord> training(const Fabricated& wanted) {
  std::vector<results::EpochRecord> epochs;
  for (int epoch = 1; epoch <= wanted.epochs; ++epoch) {
    const double rest = std::exp(-0.35 * epoch);
    auto& values = epochs.emplace_back(results::EpochRecord{epoch, {}}).values;
    values = {{"loss", 0.2 + 1.6 * rest},
              {"cross_entropy", 0.25 + 1.9 * rest},
              {"train_accuracy", wanted.accuracy + 0.02 - 0.5 * rest},
              {"validation_accuracy", wanted.accuracy - 0.45 * rest + 0.01 * std::sin(3.0 * epoch)},
              {"rate", 0.05}};
    if (wanted.defense == "none") continue;
    values["information_input"] = 0.04 * rest + 0.002;
    values["information_prediction"] = 1.2 * rest + 0.3;
  }
  return epochs;
}

RunRecord record_of(const Fabricated& wanted) {
  RunRecord record;
  record.status = results::kComplete;
  record.defense = wanted.defense;
  record.command = "infoscissors run config.toml --out again";
  record.config_hash = base::content_hash(wanted.defense);
  record.seed = 7;
  record.version = "0.1.0";
  record.commit = "2f6c1f0d3f0c2b7a4a0e5d6b8c9d0e1f2a3b4c5d";
  record.libtorch = "1.13.1";
  record.machine = {{"processor", "Example 9000"}, {"cores", 2}, {"memory_gib", 7.8}};
  record.config = {{"defense", wanted.defense}, {"train", {{"epochs", wanted.epochs}, {"rate", 0.05}}}, {"seed", 7}};
  record.data = {{"name", "fashion-mnist"},
                 {"classes", {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}},
                 {"shape", {1, kSide, kSide}},
                 {"splits",
                  {{"train", {{"count", 54000}, {"hash", base::content_hash("train")}}},
                   {"test", {{"count", 10000}, {"hash", base::content_hash("test")}}}}}};
  record.trained = true;
  record.train_seconds = 483;
  record.epochs = training(wanted);
  record.measures = {{"accuracy", wanted.accuracy}, {"cross_entropy", 0.31}};
  record.originals = "images/originals.npy";
  return record;
}

}  // namespace

TemporaryDirectory::TemporaryDirectory(const std::string& name)
    : path_(std::filesystem::temp_directory_path() / fmt::format("infoscissors-{}-{}", name, ::getpid())) {
  std::filesystem::remove_all(path_);
  std::filesystem::create_directories(path_);
}

TemporaryDirectory::~TemporaryDirectory() {
  std::filesystem::remove_all(path_);
}

std::filesystem::path fabricate_run(const std::filesystem::path& parent, const std::string& name,
                                    const Fabricated& wanted) {
  const auto directory = parent / name;
  std::filesystem::create_directories(directory / "images");
  RunRecord record = record_of(wanted);
  const double ka = 0.9 * (1 - wanted.blur);
  const double rmle = 0.97 * (1 - 0.9 * wanted.blur);
  record.attacks = {reconstruction("ka(budget=400,decoder=conv)", "black-box", ka, wanted.images),
                    reconstruction("rmle(steps=2000)", "white-box", rmle, wanted.images)};
  AttackRecord pmc = attack_record("pmc", "black-box", "prediction");
  pmc.measures = {{"accuracy", wanted.labels}};
  pmc.seconds = 3.4;
  record.attacks.push_back(pmc);
  if (wanted.blur > 0.6) record.warnings = {"epoch 3: the input term's estimate is negative: psi has not caught up"};
  write_images(directory / record.originals, wanted.images, 0);
  write_images(directory / record.attacks[0].images, wanted.images, wanted.blur);
  write_images(directory / record.attacks[1].images, wanted.images, 0.8 * wanted.blur);
  results::save_run(directory, record);
  return directory;
}

}  // namespace infoscissors::report
