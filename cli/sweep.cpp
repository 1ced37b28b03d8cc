#include "cli/command.h"

#include "infoscissors/base/error.h"
#include "infoscissors/base/log.h"
#include "infoscissors/base/progress.h"
#include "infoscissors/sweep/expand.h"
#include "infoscissors/sweep/process.h"
#include "infoscissors/sweep/scheduler.h"
#include "infoscissors/sweep/worker.h"

#include <cstdlib>

namespace infoscissors::cli {
namespace {

using base::Json;

struct Arguments {
  std::string file, out, finished, shard = "0/1";
  bool dry_run = false, retry = false;
  std::int64_t jobs = 0;
};

void refuse_what_the_file_decides(const Common& common) {
  if (common.seed) throw base::UsageError("--seed: a sweep's seeds stand in its file");
  if (common.precision != "auto") throw base::UsageError("--precision: set it in the sweep file's [base.runtime]");
}

Json to_json(const sweep::Tally& tally) {
  return {{"total", tally.total},     {"done", tally.done},         {"failed", tally.failed},
          {"blocked", tally.blocked}, {"in_table", tally.in_table}, {"seconds", tally.seconds},
          {"errors", tally.errors}};
}

void run_sweep(const Arguments& arguments, const Common& common) {
  refuse_what_the_file_decides(common);
  const auto plan = sweep::make_plan(sweep::load_sweep_file(arguments.file));
  sweep::ScheduleOptions options;
  options.program = sweep::own_program();
  options.jobs = arguments.jobs;
  options.threads = common.threads > 0 ? common.threads : 1;
  options.device = common.device;
  options.retry = arguments.retry;
  if (!arguments.finished.empty()) options.finished = sweep::load_finished(arguments.finished);
  sweep::store_plan(arguments.out, plan);
  const auto tally = sweep::run_plan(arguments.out, plan, options);
  emit(common, to_json(tally),
       fmt::format("{}: {} of {} runs done in {}\n", plan.name, tally.done, tally.total,
                   base::format_seconds(tally.seconds)));
  if (tally.failed + tally.blocked == 0) return;
  throw base::Error("{} of {} runs failed; `infoscissors sweep status {}` says why, --retry tries them again",
                    tally.failed + tally.blocked, tally.total, arguments.out);
}

void add_work(CLI::App& sweep, Common& common) {
  auto* command = sweep.add_subcommand("work", "One run of a sweep; started by the sweep itself");
  command->group("");
  auto assignment = std::make_shared<sweep::Assignment>();
  auto parent = std::make_shared<std::int64_t>(0);
  command->add_option("directory", assignment->directory)->required();
  command->add_option("run", assignment->run)->required();
  command->add_option("--attack", assignment->attacks)->take_all()->allow_extra_args(false);
  command->add_option("--abandoned", assignment->abandoned);
  command->add_option("--parent", *parent)->required();
  command->callback([assignment, parent, &common] {
    sweep::follow_parent(static_cast<pid_t>(*parent));
    assignment->threads = common.threads;
    assignment->device = common.device;
    std::exit(sweep::work(*assignment));  // the sweep reads the status
  });
}

}  // namespace

void add_sweep(CLI::App& app, Common& common) {
  auto* command =
      app.add_subcommand("sweep", "Run every combination of data, network, cut, defence, strength and seed");
  command->footer(
      "Examples:\n  infoscissors sweep configs/tiny/figure4.toml --out out/tiny\n"
      "  infoscissors sweep configs/small/figure4.toml --out out/figure4 --dry-run\n"
      "Finished work is never repeated: interrupted, killed or extended, the same command goes on.");
  auto arguments = std::make_shared<Arguments>();
  command->add_option("file", arguments->file, "Sweep (TOML)");
  command->add_option("--out", arguments->out, "Directory of the sweep, created or continued");
  command->add_flag("--retry", arguments->retry, "Try failed runs again");
  command->add_option("--jobs", arguments->jobs, "Processes at once; 0: as many as cores and memory allow")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command->add_option("--finished", arguments->finished, "Long table (CSV) whose results are not computed again");
  command->require_subcommand(0, 1);
  add_work(*command, common);
  command->callback([command, arguments, &common] {
    if (!command->get_subcommands().empty()) return;
    if (arguments->file.empty())
      throw base::UsageError("sweep wants a file, e.g. configs/tiny/figure4.toml (see --help)");
    if (arguments->out.empty()) throw base::UsageError("sweep {}: --out is required", arguments->file);
    run_sweep(*arguments, common);
  });
}

}  // namespace infoscissors::cli
