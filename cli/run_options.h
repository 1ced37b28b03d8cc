#pragma once

#include "cli/command.h"

#include "infoscissors/experiment/config.h"
#include "infoscissors/experiment/run.h"

#include <string>
#include <vector>

namespace infoscissors::cli {

/// What `train` and `run` take.
struct RunArguments {
  std::string config;
  std::string out;
  std::vector<std::string> set;
  std::string judge;
};

/// Adds CONFIG, --out and --set.
void add_run_arguments(CLI::App& command, RunArguments& arguments);

/// Adds --judge DIR, the undefended run whose network judges reconstructions.
void add_judge(CLI::App& command, std::string& judge);

/// The configuration file with --set and the common options applied. Command line beats file.
experiment::RunConfig resolve(const RunArguments& arguments, const Common& common);

/// Where to compute, from the common options alone.
experiment::RuntimeOptions runtime_of(const Common& common);

/// Loads the judge, if one was named. Throws UsageError where it is defended itself or sees other images.
void apply_judge(experiment::Run& run, const std::string& judge, const Common& common);

/// A line of measures, for people.
std::string summary(const results::RunRecord& record);

}  // namespace infoscissors::cli
