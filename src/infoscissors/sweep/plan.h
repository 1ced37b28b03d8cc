#pragma once

#include "infoscissors/base/json.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace infoscissors::sweep {

constexpr int kPlanSchema = 1;
inline constexpr const char* kPlanFile = "sweep.json";

/// How tables and figures call a run.
struct Labels {
  std::string dataset, backbone, cut;
  double width = 1;
  std::string defense;             // its family: "infoscissors"
  std::string strength_option;     // which option of it the sweep moves; empty: none
  std::optional<double> strength;  // its value
  std::int64_t seed = 0;
};

/// One run that a sweep wants, before it is started.
struct PlannedRun {
  std::string hash;  // experiment::config_hash; names its directory
  Labels labels;
  std::string defense;               // canonical spec
  std::vector<std::string> attacks;  // canonical, without repetition
  std::string source;                // hash of the trained undefended run to which the defence is added; empty: none
  std::string judge;                 // hash of the undefended run that judges its reconstructions; empty: none
  bool wanted = true;                // false: only there because others need its network
  base::Json config;                 // resolved; attacks and model_from are empty
};

/// Everything a sweep will do, in the order in which it is started: sources stand before what needs them.
struct Plan {
  std::string name;
  std::string sweep_hash;  // of the sweep file
  std::string base_hash;   // of its name and base configuration: what makes two files the same sweep, extended
  std::vector<PlannedRun> runs;

  /// Throws Error where there is none.
  const PlannedRun& find(const std::string& hash) const;
};

base::Json to_json(const Plan& plan);

/// Throws Error naming `file` for another document or a newer schema.
Plan plan_from_json(const base::Json& document, const std::string& file);

/// DIR/sweep.json. Throws UsageError where DIR holds no sweep.
Plan load_plan(const std::filesystem::path& directory);

/// Writes DIR/sweep.json unless it says the same already. Throws UsageError where DIR belongs to another sweep.
void store_plan(const std::filesystem::path& directory, const Plan& plan);

/// DIR/runs/HASH.
std::filesystem::path run_directory(const std::filesystem::path& directory, const std::string& hash);

/// "fashion-mnist resnet-small h0c1 an 0.3 seed 0", for people.
std::string title(const PlannedRun& run);

}  // namespace infoscissors::sweep
