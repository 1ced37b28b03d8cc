#pragma once

#include "infoscissors/sweep/plan.h"
#include "infoscissors/sweep/sweep_file.h"

namespace infoscissors::sweep {

/// The runs of a sweep: data sets x backbones x cuts x defences x strengths, seed by seed, so that the first seed of
/// everything is there before the second begins. A defence that need not be trained with the network shares the
/// undefended one of its data, architecture and seed, unless it says retrain. Every configuration is checked here,
/// before anything starts. Throws UsageError.
Plan make_plan(const SweepFile& sweep);

}  // namespace infoscissors::sweep
