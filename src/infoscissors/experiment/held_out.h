#pragma once

#include "infoscissors/experiment/workbench.h"

#include "infoscissors/tensor/torch.h"

#include <cstdint>

namespace infoscissors::experiment {

/// Images of the device's owner that the network was not trained on: the validation and the test split (the validation
/// split alone where settings are chosen on it), never the attacker's auxiliary images. In random order; the first
/// `fitted` are fitted to, the others estimated on.
struct HeldOut {
  torch::Tensor indices;  // (N) int64, CPU, into the data set
  std::int64_t fitted = 0;

  std::int64_t size() const { return indices.size(0); }
  std::int64_t estimated() const { return size() - fitted; }
};

/// At most `images` of them, of which the share `estimated` in (0, 1) is estimated on. Throws UsageError for another
/// share or where a part would have fewer than `fewest` images.
HeldOut hold_out(const Workbench& bench, std::int64_t images, double estimated, std::int64_t fewest,
                 std::uint64_t seed);

}  // namespace infoscissors::experiment
