#pragma once

#include "infoscissors/ranks/environment.h"
#include "infoscissors/ranks/group.h"

#include <chrono>
#include <memory>
#include <string>

namespace infoscissors::ranks {

struct ConnectOptions {
  std::string backend = "auto";        // gloo, nccl; auto: nccl for a CUDA device where this build has it
  torch::Device device = torch::kCPU;  // of the tensors that are exchanged
  std::chrono::seconds timeout{300};   // for the others to come, and for an answer of theirs
  std::string identity;                // of what is trained; must be the same on all ranks
};

/// Meets the other ranks and checks that they were started for the same number of ranks, each once, and to train the
/// same. Throws UsageError where they were not, or for a backend this build lacks; Error where a rank does not come.
std::unique_ptr<Group> connect(const Place& place, const ConnectOptions& options);

/// Whether this build can connect ranks at all, and over NCCL.
bool has_gloo();
bool has_nccl();

/// How many ranks, this one included, told the same `key`: with a key made of machine and cores, those that share them.
int ranks_with_key(const Group& group, std::uint64_t key);

}  // namespace infoscissors::ranks
