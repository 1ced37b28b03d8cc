#pragma once

#include "cli/command.h"

#include "infoscissors/sweep/scheduler.h"

/// What can be done with a sweep besides running it, and how runs are started.
namespace infoscissors::cli {

/// Processes of this program, `jobs` at once (0: as many as fit), each with its share of threads.
sweep::ScheduleOptions schedule_options(std::int64_t jobs, const Common& common);

void add_sweep_status(CLI::App& sweep, Common& common);
void add_sweep_submit(CLI::App& sweep, Common& common);

}  // namespace infoscissors::cli
