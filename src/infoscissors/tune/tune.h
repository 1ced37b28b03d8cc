#pragma once

#include "infoscissors/experiment/config.h"
#include "infoscissors/sweep/scheduler.h"
#include "infoscissors/tune/halving.h"
#include "infoscissors/tune/verdict.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace infoscissors::tune {

struct TuneOptions {
  double max_accuracy_loss = 0.03;  // against the undefended network, a fraction in (0, 1)
  std::string goal = "input";       // input, prediction or both
  std::string against = "strong";   // attackers(): strong or paper; config: the configuration's own
  std::string space;                // settings with alternatives in braces; empty: settings_around() the defence
  std::int64_t trials = 16;         // settings that are tried at most
  std::int64_t rungs = 3;
  std::int64_t eta = 2;
  std::int64_t search_seeds = 1;  // networks a setting is judged by
  std::int64_t seeds = 3;         // networks the result is measured on
};

/// What will be done: everything is checked before anything is started.
struct Schedule {
  experiment::RunConfig config;       // as every run has it, but for defence, seed and epochs
  std::vector<std::string> settings;  // canonical
  std::vector<std::string> attacks, goals;
  std::vector<Rung> rungs;
  std::vector<std::int64_t> search_seeds, seeds;  // disjoint
  std::int64_t trainings() const;                 // networks, the undefended ones included
};

/// Throws UsageError naming the option.
Schedule plan(const experiment::RunConfig& config, const TuneOptions& options);

/// A finished search.
struct Outcome {
  Verdict verdict;                            // of the best setting, over the final seeds
  Measured reference;                         // the undefended network, over the same
  double loss_half = 0;                       // of the paired losses' 95 % interval; NaN for one seed
  std::filesystem::path undefended, network;  // run directories of the first final seed
};

/// Successive halving over the settings, each rung a sweep in OUT/rung-N judged on the validation split; then
/// OUT/final, the best setting and no defence with seeds that the search has not seen, on the test split. OUT/tune.json
/// says what was chosen and why, rung by rung. Interrupted or killed, the same call goes on. Throws UsageError where
/// OUT belongs to another search, Error where every setting of a rung or any
/// final run failed, Interrupted.
Outcome search(const Schedule& schedule, const TuneOptions& options, const std::filesystem::path& out,
               const sweep::ScheduleOptions& how);

inline constexpr const char* kTuneFile = "tune.json";

}  // namespace infoscissors::tune
