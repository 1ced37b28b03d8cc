#pragma once

#include "infoscissors/sweep/finished.h"
#include "infoscissors/sweep/plan.h"

#include <filesystem>
#include <string>
#include <vector>

namespace infoscissors::sweep {

inline constexpr const char* kErrorFile = "error.json";  // in the directory of a run that failed
inline constexpr const char* kClaims = "claims";         // in the sweep's

/// How far one planned run is, from what lies on the disk.
struct RunState {
  bool trained = false;              // its network is there, for itself and for others
  bool in_table = false;             // the table of finished results has all that is wanted of it
  std::vector<std::string> missing;  // attacks that are not recorded
  bool failed = false;
  std::string error;   // why
  double seconds = 0;  // of training and attacks so far

  /// Nothing is left to do. A source that nobody needs for itself is done once it is trained.
  bool done() const { return in_table || (trained && missing.empty()); }
};

/// Throws Error for a record that cannot be read (a newer schema, damage) or whose images were measured otherwise than
/// the plan says.
RunState read_state(const std::filesystem::path& directory, const PlannedRun& run, const Finished& finished);

/// Keeps the error of a run beside it, with the number of attempts.
void record_failure(const std::filesystem::path& directory, const PlannedRun& run, const std::string& error);

/// Forgets the error, so that the run is tried again.
void clear_failure(const std::filesystem::path& directory, const PlannedRun& run);

}  // namespace infoscissors::sweep
