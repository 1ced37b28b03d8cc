#pragma once

#include "infoscissors/base/json.h"
#include "infoscissors/experiment/held_out.h"
#include "infoscissors/experiment/workbench.h"
#include "infoscissors/mi/estimator.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace infoscissors::experiment {

struct InformationOptions {
  std::vector<std::string> estimators;  // specs
  std::int64_t images = 4000;           // held-out images
  double held_out = 0.5;                // share of them that is estimated on
  std::int64_t columns = 64;            // r and x are reduced to so many principal components
  std::int64_t permutations = 99;
  std::uint64_t seed = 0;
};

/// What the tensors on the wire say of the input x and the label y, on held-out images.
struct Variables {
  torch::Tensor x;       // (N, <= columns) principal components of the images
  torch::Tensor y;       // (N) int64
  torch::Tensor r, v;    // (N, <= columns), (N, D): as released while serving; v is not reduced
  base::Json described;  // of each: columns, components, explained
};

/// The components are fitted to the fitted part. Works in pieces: r of all images together may not fit into memory.
Variables expose_variables(Workbench& bench, const HeldOut& chosen, std::int64_t columns, std::uint64_t seed);

/// One quantity by one estimator. Without an estimate where the method does not take such variables.
struct InformationRow {
  std::string quantity;   // "I(r; x)"
  std::string estimator;  // canonical spec
  bool estimated = false;
  mi::Estimate estimate;
  double seconds = 0;
  std::string reason;  // why there is none
};

/// I(r; x), I(r; y), I(v; y), I(v; x) by every estimator, and I(r; x|y) = I(r; x) - I(r; y), which holds because r is
/// made from x alone. Its interval adds the other two (sound, for both come from the same images), and it is no bound:
/// it is a difference of two.
std::vector<InformationRow> measure_information(const Variables& variables, std::int64_t fitted,
                                                const InformationOptions& options, const torch::Device& device);

base::Json to_json(const InformationRow& row);

}  // namespace infoscissors::experiment
