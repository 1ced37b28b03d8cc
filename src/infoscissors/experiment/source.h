#pragma once

#include "infoscissors/experiment/config.h"
#include "infoscissors/experiment/workbench.h"
#include "infoscissors/results/record.h"

namespace infoscissors::experiment {

/// The run that model_from names. Throws UsageError where there is none.
results::RunRecord find_source(const RunConfig& config);

/// Refuses a source that is not a trained undefended network of the same data, splits, architecture and seed (the
/// attacker's own images would otherwise be among its training images), and a defence that protects by training the
/// network. Throws UsageError.
void check_source(const RunConfig& config, const results::RunRecord& source);

/// Copies the source's trained network into the workbench. Throws Error for a missing or damaged checkpoint.
void load_source(Workbench& bench);

}  // namespace infoscissors::experiment
