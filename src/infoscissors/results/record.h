#pragma once

#include "infoscissors/base/json.h"

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

/// What a run leaves behind, as documented in docs/metrics.md. No libtorch here: reports and tables only need this.
namespace infoscissors::results {

constexpr int kSchema = 1;

/// One reconstructed image with its similarity to the original.
struct Sample {
  std::int64_t index = 0;  // in the data set
  double ssim = 0;
};

struct AttackRecord {
  std::string name;    // "ka"
  std::string spec;    // canonical: "ka(budget=400,decoder=conv)"
  std::string view;    // "black-box", "white-box"
  std::string goal;    // "input" or "prediction"
  std::uint64_t seed = 0;
  std::map<std::string, double> measures;  // ssim, psnr, mse, class_accuracy; or accuracy
  double seconds = 0;
  std::string images;           // file with the first reconstructions, relative to the run; empty where there is none
  std::vector<Sample> samples;  // of those images
  base::Json details;           // what the attack observed of itself
};

struct EpochRecord {
  std::int64_t epoch = 0;                // 1-based
  std::map<std::string, double> values;  // loss, accuracy, validation_accuracy, information_input, ...
};

/// One run directory: metrics.json.
struct RunRecord {
  std::string config_hash;
  std::uint64_t seed = 0;
  std::string version, commit, libtorch;
  base::Json machine;
  base::Json config;  // resolved: every key with its value
  base::Json data;    // name, classes, shape, splits with counts and hashes
  bool trained = false;
  double train_seconds = 0;
  std::vector<EpochRecord> epochs;
  std::vector<std::string> warnings;
  std::map<std::string, double> measures;  // accuracy, cross_entropy on the whole test split
  std::string originals;                   // file with the first attacked images
  std::vector<AttackRecord> attacks;
};

base::Json to_json(const RunRecord& record);

/// Throws Error naming `file` for a document that is not a run's, or of a newer schema.
RunRecord from_json(const base::Json& document, const std::string& file);

/// DIR/metrics.json, atomically.
RunRecord load_run(const std::filesystem::path& directory);
void save_run(const std::filesystem::path& directory, const RunRecord& record);

/// Replaces the attack with the same spec and seed, or appends it.
void put_attack(RunRecord& record, AttackRecord attack);

}  // namespace infoscissors::results
