#include "tests/figure/fixture.h"

#include "infoscissors/base/hash.h"
#include "infoscissors/base/npy.h"

#include <fmt/format.h>

#include <cmath>

namespace infoscissors::figure {
namespace {

results::AttackRecord attack(const std::string& spec, const std::string& goal, double value, std::uint64_t seed) {
  results::AttackRecord record;
  record.name = spec.substr(0, spec.find('('));
  record.spec = spec;
  record.view = "black-box";
  record.goal = goal;
  record.seed = seed;
  record.measures[goal == "input" ? "ssim" : "accuracy"] = value;
  return record;
}

results::RunRecord record_of(const std::string& defense, std::uint64_t seed) {
  results::RunRecord record;
  record.status = results::kComplete;
  record.defense = defense;
  record.config_hash = base::content_hash(fmt::format("{} {}", defense, seed));
  record.seed = seed;
  record.config = {{"data", {{"name", "fashion-mnist"}}}, {"model", {{"backbone", "resnet-small"}}}};
  record.trained = true;
  return record;
}

// `protection` runs from 0 to 1; `price` is what it costs of the accuracy.
results::RunRecord point(const std::string& defense, double protection, double price, std::uint64_t seed) {
  auto record = record_of(defense, seed);
  const double wobble = 0.015 * std::sin(static_cast<double>(seed) * 2.1 + protection * 7);
  record.measures["accuracy"] = 0.9 - price * protection * protection + wobble / 2;
  const double ssim = 0.95 - 0.8 * protection + 2 * wobble;
  const double labels = 0.85 - 0.6 * protection + wobble;
  for (const char* decoder : {"conv", "res"}) {
    for (const int budget : {40, 400, 4000}) {
      const double reached = ssim - 0.1 * std::log10(4000.0 / budget) * (decoder == std::string("res") ? 1 : 1.3);
      record.attacks.push_back(
          attack(fmt::format("ka(budget={},decoder={})", budget, decoder), "input", reached, seed));
    }
  }
  record.attacks.push_back(attack("rmle", "input", std::min(0.99, ssim + 0.1), seed));
  record.attacks.push_back(attack("pmc", "prediction", labels, seed));
  record.attacks.push_back(attack("pmc(head=mlp-sim)", "prediction", labels - 0.05, seed));
  return record;
}

base::Json information(double protection, double loss) {
  const auto one = [](const char* quantity, double value) {
    return base::Json{{"quantity", quantity}, {"estimator", "l1out"}, {"value", value}};
  };
  const double task = 2.0 - loss * protection, rest = 6.0 - 5.0 * protection;
  return {{"estimates", {one("I(r; x)", task + rest), one("I(r; y)", task), one("I(r; x|y)", rest)}}};
}

void add(study::Study& study, const results::RunRecord& record, const base::Json& estimates) {
  for (auto& row : study::rows_of(record, study::labels_of(record), {}, estimates))
    study.rows.push_back(std::move(row));
}

void store(const std::filesystem::path& file, int images, int shade) {
  base::NpyArray array{.dtype = "|u1", .shape = {images, 1, 28, 28}, .data = {}};
  for (int i = 0; i < images; ++i) {
    for (int p = 0; p < 28 * 28; ++p) array.data += static_cast<char>((shade + 16 * i + p / 28 * 3) % 256);
  }
  base::write_npy(file, array);
}

}  // namespace

study::Study fabricated_study() {
  study::Study study;
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    add(study, point("none", 0, 0, seed), information(0, 0));
    for (const double share : {0.25, 0.6, 1.0}) {
      add(study, point(fmt::format("infoscissors(input={},prediction=0.1)", 0.6 * share), share, 0.1, seed),
          information(share, 0.3));
      add(study, point(fmt::format("an(scale={})", 3 * share), share, 0.45, seed), information(share, 1));
      add(study, point(fmt::format("mid(beta={})", 0.1 * share), share, 0.6, seed), information(share, 1.8));
    }
  }
  return study;
}

void store_pictured_run(const std::filesystem::path& directory, const std::string& defense, std::uint64_t seed,
                        int shade) {
  constexpr int kImages = 5;
  std::filesystem::create_directories(directory / "images");
  auto record = record_of(defense, seed);
  record.measures["accuracy"] = 0.85;
  record.originals = "images/originals.npy";
  record.attacks.push_back(attack("ka(decoder=res)", "input", 0.5, seed));
  record.attacks.back().images = "images/ka.npy";
  for (int i = 0; i < kImages; ++i) record.attacks.back().samples.push_back({i, 0.5 + 0.01 * i});
  store(directory / record.originals, kImages, 40);
  store(directory / record.attacks.back().images, kImages, shade);
  results::save_run(directory, record);
}

}  // namespace infoscissors::figure
