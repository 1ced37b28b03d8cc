#pragma once

#include "infoscissors/nn/split_model.h"

#include <string>

namespace infoscissors::exporter {

/// One part of a network as a TorchScript archive, loadable with torch::jit::load and Python's torch.jit.load: the
/// operations in evaluation mode on the CPU in fp32, for batches of any size, its weights as parameters (weight0,
/// weight1, ...). Batch norm behind a convolution is folded into its weights, so outputs differ from the part's by
/// rounding. `name` is the archive's and the module's. The layer is in evaluation mode afterwards. Throws Error where
/// tracing fails.
std::string to_torchscript(const nn::Part& part, const std::string& name);

}  // namespace infoscissors::exporter
