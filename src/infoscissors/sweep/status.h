#pragma once

#include "infoscissors/base/json.h"
#include "infoscissors/sweep/plan.h"
#include "infoscissors/sweep/state.h"

#include <filesystem>
#include <string>
#include <vector>

namespace infoscissors::sweep {

/// One run as seen from outside, by whoever looks at the directory.
struct RunStatus {
  const PlannedRun* run = nullptr;
  RunState state;
  std::string phase;  // "done", "running", "failed" or "waiting"
  std::string owner;  // "host (process)" of a running one
  std::string note;   // the last line of a running one's log, the error of a failed one
};

/// Every planned run. A record that cannot be read makes its run a failed one here, so that the rest is shown.
/// References `plan`.
std::vector<RunStatus> read_status(const std::filesystem::path& directory, const Plan& plan);

base::Json to_json(const Plan& plan, const std::vector<RunStatus>& runs);

/// Counts, then what runs and what failed.
std::string describe(const Plan& plan, const std::vector<RunStatus>& runs);

}  // namespace infoscissors::sweep
