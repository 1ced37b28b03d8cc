#include "infoscissors/sweep/worker.h"

#include "infoscissors/base/error.h"
#include "infoscissors/base/json.h"
#include "infoscissors/base/log.h"
#include "infoscissors/experiment/run.h"
#include "infoscissors/sweep/claim.h"
#include "infoscissors/sweep/resources.h"
#include "infoscissors/sweep/state.h"

#include <algorithm>
#include <optional>

namespace infoscissors::sweep {
namespace {

namespace fs = std::filesystem;

experiment::RunConfig config_of(const PlannedRun& run, const Assignment& assignment) {
  auto config = experiment::config_from_json(run.config, kPlanFile);
  config.attacks = run.attacks;
  config.runtime.threads = assignment.threads;
  if (assignment.device != "auto") config.runtime.device = assignment.device;
  if (!run.source.empty()) config.model_from = run_directory(assignment.directory, run.source);
  return config;
}

bool reconstructs(const std::vector<std::string>& attacks) {
  return std::any_of(attacks.begin(), attacks.end(), [](const std::string& attack) {
    return attack::goal_of(base::parse_spec(attack).name) == attack::Goal::input;
  });
}

void set_judge(experiment::Run& run, const PlannedRun& planned, const Assignment& assignment,
               const experiment::RuntimeOptions& runtime) {
  if (planned.judge.empty() || !reconstructs(assignment.attacks)) return;
  auto judge = experiment::Run::read(run_directory(assignment.directory, planned.judge), runtime);
  if (!judge.record().trained) {
    base::log::warning("{}: the undefended network is not trained, so reconstructions are not judged", title(planned));
    return;
  }
  run.set_judge(judge.trained());
}

void do_work(const PlannedRun& planned, const Assignment& assignment) {
  const auto path = run_directory(assignment.directory, planned.hash);
  const auto config = config_of(planned, assignment);
  auto run = experiment::Run::start(config, path);
  if (run.record().config_hash != planned.hash) {
    throw base::Error("the plan calls this run {}, but its configuration now hashes to {}: plan the sweep again",
                      planned.hash, run.record().config_hash);
  }
  run.train();
  set_judge(run, planned, assignment, config.runtime);
  for (const auto& attack : assignment.attacks) run.attack(attack, std::nullopt, false);
  save_usage(path);
  clear_failure(assignment.directory, planned);
}

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));  // libtorch appends its stack to what()
}

int fail(const PlannedRun& planned, const Assignment& assignment, const std::string& error) {
  base::log::write(base::log::Level::error, fmt::format("{}: {}", title(planned), error));
  if (disk_is_full(assignment.directory, error)) return kDiskFull;
  record_failure(assignment.directory, planned, error);
  return 1;
}

}  // namespace

int work(const Assignment& assignment) {
  const auto plan = load_plan(assignment.directory);
  const auto& planned = plan.find(assignment.run);
  try {
    // Whoever was outbid must not write another byte.
    const auto claim =
        Claim::take(assignment.directory / kClaims, planned.hash, assignment.abandoned, [] { std::_Exit(kBusy); });
    if (!claim) return kBusy;
    try {
      do_work(planned, assignment);
      return 0;
    } catch (const base::Interrupted&) {
      return kStopped;
    } catch (const std::exception& error) {
      return fail(planned, assignment, first_line(error.what()));
    }
  } catch (const std::exception& error) {
    base::log::write(base::log::Level::error, error.what());
    return disk_is_full(assignment.directory, error.what()) ? kDiskFull : 1;
  }
}

}  // namespace infoscissors::sweep
