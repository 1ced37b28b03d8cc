#pragma once

#include "cli/command.h"

#include "infoscissors/experiment/config.h"
#include "infoscissors/experiment/join.h"
#include "infoscissors/experiment/run.h"

#include <optional>
#include <string>
#include <vector>

namespace infoscissors::cli {

/// What `train` and `run` take.
struct RunArguments {
  std::string config;
  std::string out;
  std::vector<std::string> set;
  std::string judge;
  experiment::RankOptions ranks;
};

/// Adds CONFIG, --out, --set and --ranks.
void add_run_arguments(CLI::App& command, RunArguments& arguments);

/// Adds --judge DIR, the undefended run whose network judges reconstructions.
void add_judge(CLI::App& command, std::string& judge);

/// The configuration file with --set and the common options applied. Command line beats file.
experiment::RunConfig resolve(const RunArguments& arguments, const Common& common);

/// Trains, alone or as one of several ranks. Nothing where this is not rank 0: its work is done then.
std::optional<experiment::Run> train(experiment::RunConfig config, const RunArguments& arguments);

/// Where to compute, from the common options alone.
experiment::RuntimeOptions runtime_of(const Common& common);

/// Loads the judge, if one was named. Throws UsageError where it is defended itself or sees other images.
void apply_judge(experiment::Run& run, const std::string& judge, const Common& common);

/// A line of measures, for people.
std::string summary(const results::RunRecord& record);

}  // namespace infoscissors::cli
