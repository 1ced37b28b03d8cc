#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace infoscissors::sweep {

/// What a worker process ends with, besides 0 (done) and 1 (failed, recorded).
inline constexpr int kDiskFull = 74;  // not recorded: nothing is wrong with the run
inline constexpr int kBusy = 75;      // somebody else works on it
inline constexpr int kStopped = 130;  // interrupted, with its state saved

/// One piece of work: a planned run with the attacks that are still missing.
struct Assignment {
  std::filesystem::path directory;  // of the sweep
  std::string run;                  // hash
  std::vector<std::string> attacks;
  std::int64_t abandoned = 0;  // generation of a claim that was seen to be abandoned
  std::int64_t threads = 1;
  std::string device = "auto";
};

/// Claims the run, trains its network and attacks it, one process for all attacks, so that they share what crosses the
/// wire. Returns the exit status; a failure is recorded in the run's directory, so that the sweep can go on.
int work(const Assignment& assignment);

}  // namespace infoscissors::sweep
