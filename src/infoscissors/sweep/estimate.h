#pragma once

#include "infoscissors/sweep/finished.h"
#include "infoscissors/sweep/plan.h"

#include <cstdint>
#include <filesystem>
#include <string>

namespace infoscissors::sweep {

/// What is left of a sweep and what it will take.
struct Estimate {
  std::int64_t runs = 0, done = 0, attacks = 0;  // attacks that are left
  double seconds = 0;                            // of one process
  double disk = 0;                               // bytes
  std::int64_t measured = 0;                     // finished runs from which that was derived; 0: assumed
};

/// Assumptions for a sweep of which nothing has been measured yet: seconds.
inline constexpr double kAssumedImagePass = 1e-3;  // one training image, one epoch
inline constexpr double kAssumedAttack = 60;

/// From the mean times of finished runs in the directory: of the same data, network and defence where there are such,
/// else of the same data and network, else of any. Throws Error for a record that cannot be read.
Estimate estimate(const std::filesystem::path& directory, const Plan& plan, const Finished& finished);

}  // namespace infoscissors::sweep
