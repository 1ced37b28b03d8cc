#pragma once

#include "infoscissors/base/json.h"
#include "infoscissors/base/options.h"
#include "infoscissors/data/dataset.h"
#include "infoscissors/nn/split_model.h"
#include "infoscissors/train/train.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace infoscissors::experiment {

/// How a trained network is measured.
struct EvaluateOptions {
  std::string split = "test";  // or validation, for choosing settings without a look at the test images
  std::int64_t images = 128;   // test images whose reconstruction is attacked
  std::int64_t samples = 10;   // of them kept as pictures
  base::Fields fields();
};

/// Where a run computes. Device and threads change no result beyond rounding and are not part of its identity.
struct RuntimeOptions {
  std::string device = "auto";
  std::string precision = "auto";
  std::int64_t threads = 0;
  base::Fields fields();
};

/// One run: everything that determines its result.
struct RunConfig {
  std::int64_t seed = 0;
  std::string defense = "none";
  std::string model_from;  // run directory of a trained undefended network, to which the defence is added; empty: none
  std::vector<std::string> attacks;
  data::DataOptions data;
  nn::ModelOptions model;
  train::TrainOptions train;
  EvaluateOptions evaluate;
  RuntimeOptions runtime;
};

/// Reads a TOML file. Keys left out keep their defaults; unknown sections and keys are refused with a suggestion.
/// Throws UsageError naming file and key.
RunConfig load_config(const std::filesystem::path& path);

/// The same from JSON, as stored in a run's record. `where` prefixes errors.
RunConfig config_from_json(const base::Json& document, const std::string& where);

/// Applies "train.epochs=3" or "seed=1".
void set_option(RunConfig& config, const std::string& assignment);

/// Every key with its value; defence and attacks in canonical form.
base::Json to_json(const RunConfig& config);

/// Checks what a single key cannot show: that defence and attacks parse, and that the defence can be added to the
/// network of model_from. Throws UsageError.
void validate(const RunConfig& config);

/// Identity of the trained network: the hash of all that influences training, so that adding an attack, moving the data
/// or changing device and threads keeps it. The images it is measured on belong to it. A network from model_from counts
/// by what it was trained with, wherever it lies.
std::string config_hash(const RunConfig& config);

/// The same where the network of model_from comes (or will come) from the run with the hash `network`; empty: from
/// none. It names a run before that network is trained.
std::string config_hash(const RunConfig& config, const std::string& network);

/// What stands in a TOML file: sections with their options, for --help and the documentation.
base::Json describe_config();

}  // namespace infoscissors::experiment
