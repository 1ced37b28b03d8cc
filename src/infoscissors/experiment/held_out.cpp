#include "infoscissors/experiment/held_out.h"

#include "infoscissors/base/error.h"

#include <algorithm>

namespace infoscissors::experiment {

using base::UsageError;

HeldOut hold_out(const Workbench& bench, std::int64_t images, double estimated, std::int64_t fewest,
                 std::uint64_t seed) {
  if (!(estimated > 0 && estimated < 1))
    throw UsageError("the share that is estimated on must be in (0, 1), got {}", estimated);
  const bool choosing = bench.config.evaluate.split == "validation";  // then nothing may look at the test images
  const auto all = choosing ? bench.splits.validation.indices
                            : torch::cat({bench.splits.validation.indices, bench.splits.test.indices});
  auto generator = tensor::make_generator(torch::kCPU, seed, "held-out");
  const auto order = torch::randperm(all.size(0), generator, torch::TensorOptions(torch::kInt64));
  HeldOut chosen;
  chosen.indices = all.index_select(0, order.slice(0, 0, std::min(images, all.size(0))));
  const auto size = chosen.size();
  chosen.fitted = size - static_cast<std::int64_t>(static_cast<double>(size) * estimated);
  if (std::min(chosen.fitted, chosen.estimated()) < fewest) {
    throw UsageError("{} held-out images ({} in the {}) are too few: {} are needed to fit and {} to estimate", size,
                     all.size(0), choosing ? "validation split" : "validation and test split", fewest, fewest);
  }
  return chosen;
}

}  // namespace infoscissors::experiment
