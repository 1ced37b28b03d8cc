#pragma once

#include "cli/command.h"

namespace infoscissors::cli {

/// `infoscissors bench serve`.
void add_bench_serve(CLI::App& parent, Common& common);

}  // namespace infoscissors::cli
