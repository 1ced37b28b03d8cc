#pragma once

#include "cli/command.h"

/// What can be done with a sweep besides running it.
namespace infoscissors::cli {

void add_sweep_status(CLI::App& sweep, Common& common);
void add_sweep_submit(CLI::App& sweep, Common& common);

}  // namespace infoscissors::cli
