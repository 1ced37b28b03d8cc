#include "infoscissors/sweep/state.h"

#include "infoscissors/base/error.h"
#include "infoscissors/base/file.h"
#include "infoscissors/base/machine.h"
#include "infoscissors/results/record.h"

#include <unistd.h>

#include <algorithm>

namespace infoscissors::sweep {
namespace {

namespace fs = std::filesystem;
using base::Error;
using base::Json;

/// Attacks of one run that were measured on other images cannot stand in one table.
void check_same_measurement(const results::RunRecord& record, const PlannedRun& run, const fs::path& directory) {
  if (record.attacks.empty()) return;
  const auto& planned = run.config.at("evaluate");
  const auto recorded = record.config.value("evaluate", Json::object());
  for (const auto& [key, value] : planned.items()) {
    if (recorded.value(key, Json()) == value) continue;
    throw Error("{}: was measured with [evaluate] {} = {}, but the sweep wants {}; choose another --out",
                directory.string(), key, recorded.value(key, Json()).dump(), value.dump());
  }
}

bool recorded(const results::RunRecord& record, const std::string& attack) {
  return std::any_of(record.attacks.begin(), record.attacks.end(),
                     [&](const auto& other) { return other.spec == attack && other.seed == record.seed; });
}

void read_record(const fs::path& directory, const PlannedRun& run, RunState& state) {
  std::error_code ignored;
  if (!fs::exists(directory / results::kRecordFile, ignored)) return;
  const auto record = results::load_run(directory);
  check_same_measurement(record, run, directory);
  state.trained = record.trained;
  state.seconds = record.train_seconds;
  std::erase_if(state.missing, [&](const std::string& attack) { return recorded(record, attack); });
  for (const auto& attack : record.attacks) state.seconds += attack.seconds;
}

void read_failure(const fs::path& directory, RunState& state) {
  std::error_code ignored;
  if (!fs::exists(directory / kErrorFile, ignored)) return;
  state.failed = true;
  try {
    state.error = base::read_json(directory / kErrorFile).value("error", "unknown");
  } catch (const std::exception&) {
    state.error = "unknown: its " + std::string(kErrorFile) + " cannot be read";
  }
}

}  // namespace

RunState read_state(const fs::path& directory, const PlannedRun& run, const Finished& finished) {
  RunState state;
  state.missing = run.attacks;
  const auto path = run_directory(directory, run.hash);
  read_record(path, run, state);
  if (const auto found = finished.find(run.hash); found != finished.end()) {
    std::erase_if(state.missing, [&](const std::string& attack) { return found->second.contains(attack); });
    state.in_table = state.missing.empty();
  }
  if (!state.done()) read_failure(path, state);
  return state;
}

void record_failure(const fs::path& directory, const PlannedRun& run, const std::string& error) {
  const auto path = run_directory(directory, run.hash);
  base::ensure_directory(path);
  std::int64_t attempts = 1;
  std::error_code ignored;
  if (fs::exists(path / kErrorFile, ignored)) {
    try {
      attempts = base::read_json(path / kErrorFile).value("attempts", std::int64_t{0}) + 1;
    } catch (const std::exception&) {
      attempts = 1;
    }
  }
  base::write_json(path / kErrorFile, {{"schema", 1},
                                       {"error", error},
                                       {"attempts", attempts},
                                       {"version", base::version()},
                                       {"commit", base::commit()},
                                       {"machine", base::describe_machine()}});
}

void clear_failure(const fs::path& directory, const PlannedRun& run) {
  std::error_code ignored;
  fs::remove(run_directory(directory, run.hash) / kErrorFile, ignored);
}

}  // namespace infoscissors::sweep
