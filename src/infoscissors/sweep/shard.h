#pragma once

#include <cstdint>
#include <string>

namespace infoscissors::sweep {

/// The part of a plan that one process of several takes: every run whose place in the plan is index modulo count.
struct Shard {
  std::int64_t index = 0;
  std::int64_t count = 1;

  bool has(std::size_t place) const { return static_cast<std::int64_t>(place) % count == index; }
};

/// "2/8", or "auto/8" with the index from the cluster: SLURM_ARRAY_TASK_ID (job arrays) or JOB_COMPLETION_INDEX
/// (Kubernetes' indexed jobs). Throws UsageError.
Shard parse_shard(const std::string& text);

}  // namespace infoscissors::sweep
