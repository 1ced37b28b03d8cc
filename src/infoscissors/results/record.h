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
  std::string name;  // "ka"
  std::string spec;  // canonical: "ka(budget=400,decoder=conv)"
  std::string view;  // "black-box", "white-box"
  std::string goal;  // "input" or "prediction"
  std::uint64_t seed = 0;
  std::map<std::string, double> measures;  // ssim, psnr, mse, class_accuracy; or accuracy
  double seconds = 0;
  std::string images;           // file with the first reconstructions, relative to the run; empty where there is none
  std::vector<Sample> samples;  // of those images
  base::Json details = base::Json::object();  // what the attack observed of itself
};

struct EpochRecord {
  std::int64_t epoch = 0;                // 1-based
  std::map<std::string, double> values;  // loss, accuracy, validation_accuracy, information_input, ...
};

/// How far a run's training has come; attacks may follow a complete one. The file is written as soon as the run starts
/// and again after every stage.
inline constexpr const char* kRunning = "running";          // or killed without a chance to say so
inline constexpr const char* kInterrupted = "interrupted";  // stopped on request; can be resumed
inline constexpr const char* kFailed = "failed";
inline constexpr const char* kComplete = "complete";

/// One run directory: metrics.json.
struct RunRecord {
  std::string status = kRunning;
  std::string defense;  // canonical: "infoscissors(input=0.2)", or "none"; names the run in tables
  std::string command;  // repeats the run; empty where it was not started from the command line
  std::string config_hash;
  std::uint64_t seed = 0;
  std::string version, commit, libtorch;
  base::Json machine = base::Json::object();
  base::Json config = base::Json::object();  // resolved: every key with its value
  base::Json data = base::Json::object();    // name, classes, shape, splits with counts and hashes
  bool trained = false;
  double train_seconds = 0;
  std::vector<EpochRecord> epochs;
  std::vector<std::string> warnings;
  std::map<std::string, double> measures;  // accuracy, cross_entropy on the whole test split
  std::string originals;                   // file with the first attacked images
  std::vector<AttackRecord> attacks;
};

/// NaN and infinities become null, for JSON has neither.
base::Json to_json(const RunRecord& record);

/// null in the place of a number is read as NaN; keys this version does not know are passed over. Throws Error naming
/// `file` and the key for a document that is not a run's, or of a newer schema.
RunRecord from_json(const base::Json& document, const std::string& file);

inline constexpr const char* kRecordFile = "metrics.json";

/// DIR/metrics.json. Throws Error for a directory that holds no run.
RunRecord load_run(const std::filesystem::path& directory);

/// Atomic.
void save_run(const std::filesystem::path& directory, const RunRecord& record);

/// Replaces the attack with the same spec and seed, or appends it.
void put_attack(RunRecord& record, AttackRecord attack);

}  // namespace infoscissors::results
