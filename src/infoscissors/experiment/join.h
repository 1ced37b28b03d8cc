#pragma once

#include "infoscissors/experiment/config.h"
#include "infoscissors/ranks/connect.h"

#include <cstdint>
#include <memory>
#include <string>

namespace infoscissors::experiment {

/// How processes that a launcher started train one network together.
struct RankOptions {
  std::string mode;              // "env": as the launcher's variables say; "none", or empty: each process for itself
  std::string backend = "auto";  // auto, gloo or nccl
  std::int64_t timeout = 300;    // seconds
};

/// Meets the other ranks, checks that all train the same, and gives each its device (by its place on its machine) and
/// its share of the cores it sees where `config` leaves them open. Null for a process alone. Throws UsageError where
/// the environment names no ranks, or wrongly. A process that seems to have been meant as a rank is warned.
std::unique_ptr<ranks::Group> join_ranks(RunConfig& config, const RankOptions& options);

}  // namespace infoscissors::experiment
