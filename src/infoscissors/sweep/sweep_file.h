#pragma once

#include "infoscissors/base/json.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace infoscissors::sweep {

/// One value of an axis: what it changes of the base configuration, in the same sections, and how it is called.
struct AxisValue {
  std::string where;                                // "sweep.toml: datasets[0]", for errors
  std::string label;                                // empty: derived from the configuration
  base::Json patch = base::Json::object();          // sections data, model, train, evaluate
  std::optional<std::vector<std::string>> attacks;  // instead of the sweep's
};

/// A defence with the strengths it is tried at; none: once, as the spec stands.
struct DefenseAxis : AxisValue {
  std::string spec;
  std::vector<double> strengths;
  bool retrain = false;  // train a network with it although it could be added to the trained undefended one
};

/// A sweep as it was written: base configuration and axes.
struct SweepFile {
  std::filesystem::path path;
  std::string name;
  std::string hash;  // of the whole document
  base::Json base = base::Json::object();
  std::vector<AxisValue> datasets, backbones, cuts;  // never empty: one value that changes nothing
  std::vector<DefenseAxis> defenses;
  std::vector<std::int64_t> seeds;
  std::vector<std::string> attacks;
};

/// Throws UsageError naming file and key: unknown keys, wrong types, an axis or a sweep without a value.
SweepFile load_sweep_file(const std::filesystem::path& path);

}  // namespace infoscissors::sweep
