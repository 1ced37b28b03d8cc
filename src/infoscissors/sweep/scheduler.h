#pragma once

#include "infoscissors/sweep/finished.h"
#include "infoscissors/sweep/plan.h"
#include "infoscissors/sweep/shard.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace infoscissors::sweep {

struct ScheduleOptions {
  std::filesystem::path program;  // whose `sweep work` is started for each run
  std::int64_t jobs = 0;          // processes at once; 0: as many as cores and memory allow
  std::int64_t threads = 1;       // of each
  std::string device = "auto";
  bool gpu = false;    // they share one GPU, so that cores are not what limits them
  bool retry = false;  // try failed runs again
  Shard shard;
  Finished finished;
};

/// What became of the runs that a process is responsible for.
struct Tally {
  std::int64_t total = 0, done = 0, failed = 0;
  std::int64_t blocked = 0;   // cannot be tried because the network they start from failed
  std::int64_t in_table = 0;  // of those done
  double seconds = 0;
  std::vector<std::string> errors;  // "title: error", of failed ones
};

/// Brings every run of the shard to its end, the networks they start from included. A failed run is recorded and the
/// others go on. Throws Interrupted when asked to stop, after the children have saved their state, and Error when the
/// disk is full or a record cannot be read; nothing finished is lost in either case.
Tally run_plan(const std::filesystem::path& directory, const Plan& plan, const ScheduleOptions& options);

}  // namespace infoscissors::sweep
