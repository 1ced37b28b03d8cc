#include "cli/sweep.h"

#include "infoscissors/base/error.h"
#include "infoscissors/base/log.h"
#include "infoscissors/base/progress.h"
#include "infoscissors/sweep/estimate.h"
#include "infoscissors/sweep/expand.h"
#include "infoscissors/sweep/process.h"
#include "infoscissors/sweep/resources.h"
#include "infoscissors/sweep/scheduler.h"
#include "infoscissors/sweep/worker.h"
#include "infoscissors/tensor/device.h"

#include <cstdlib>
#include <map>
#include <set>

namespace infoscissors::cli {
namespace {

using base::Json;

struct SweepArguments {
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

/// Runs that differ in strength and seed alone share a line.
std::string table_of(const sweep::Plan& plan) {
  std::map<std::string, std::set<double>> strengths;
  std::map<std::string, std::set<std::int64_t>> seeds;
  std::vector<std::string> order;
  for (const auto& run : plan.runs) {
    const auto& labels = run.labels;
    const auto line = fmt::format("{:<14} {:<13} {:>5} {:<5} {:<13}", labels.dataset, labels.backbone, labels.width,
                                  labels.cut, run.wanted ? labels.defense : "(undefended)");
    if (seeds[line].empty()) order.push_back(line);
    seeds[line].insert(labels.seed);
    if (labels.strength) strengths[line].insert(*labels.strength);
  }
  std::string text;
  for (const auto& line : order) {
    const auto values = fmt::format("{}", fmt::join(strengths[line], " "));
    text += fmt::format("  {} {:<24} seeds {}\n", line, values, fmt::join(seeds[line], " "));
  }
  return text;
}

std::string basis(const sweep::Estimate& estimate) {
  if (estimate.measured > 0) return fmt::format("from {} trained runs in this directory", estimate.measured);
  return fmt::format(
      "assumed, for nothing is measured yet: {:g} ms an image and epoch, {:g} s an attack, {:g} MiB a run",
      1000 * sweep::kAssumedImagePass, sweep::kAssumedAttack, sweep::kAssumedDisk / (1 << 20));
}

void print_plan(const sweep::Plan& plan, const SweepArguments& arguments, const sweep::ScheduleOptions& options,
                const Common& common) {
  const auto left = sweep::estimate(arguments.out, plan, options.finished);
  const auto processes =
      options.jobs > 0 ? options.jobs : std::max<std::int64_t>(1, sweep::usable_cores() / options.threads);
  const auto seconds = left.seconds / static_cast<double>(processes);
  Json document = sweep::to_json(plan);
  document["estimate"] = {{"runs", left.runs},      {"done", left.done},        {"attacks", left.attacks},
                          {"processes", processes}, {"seconds", seconds},       {"process_seconds", left.seconds},
                          {"disk", left.disk},      {"measured", left.measured}};
  emit(common, document,
       fmt::format("{}: {} runs, {} done; {} attacks left\n{}"
                   "about {} with {} processes of {} threads, {:.0f} MiB of disk\n  {}\n",
                   plan.name, left.runs, left.done, left.attacks, table_of(plan), base::format_seconds(seconds),
                   processes, options.threads, left.disk / (1 << 20), basis(left)));
}

void run_sweep(const SweepArguments& arguments, const Common& common) {
  refuse_what_the_file_decides(common);
  const auto plan = sweep::make_plan(sweep::load_sweep_file(arguments.file));
  auto options = schedule_options(arguments.jobs, common);
  options.shard = sweep::parse_shard(arguments.shard);
  options.retry = arguments.retry;
  if (!arguments.finished.empty()) options.finished = sweep::load_finished(arguments.finished);
  if (arguments.dry_run) {
    print_plan(plan, arguments, options, common);
    return;
  }
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

sweep::ScheduleOptions schedule_options(std::int64_t jobs, const Common& common) {
  sweep::ScheduleOptions options;
  options.program = sweep::own_program();
  options.jobs = jobs;
  options.threads = common.threads > 0 ? common.threads : 1;
  options.device = common.device;
  options.gpu = tensor::make_runtime(common.device, "fp32", 1).device.is_cuda();
  return options;
}

void add_sweep(CLI::App& app, Common& common) {
  auto* command =
      app.add_subcommand("sweep", "Run every combination of data, network, cut, defence, strength and seed");
  command->footer(
      "Examples:\n  infoscissors sweep configs/tiny/figure4.toml --out out/tiny\n"
      "  infoscissors sweep configs/small/figure4.toml --out out/figure4 --dry-run\n"
      "Finished work is never repeated: interrupted, killed or extended, the same command goes on.");
  auto arguments = std::make_shared<SweepArguments>();
  command->add_option("file", arguments->file, "Sweep (TOML)");
  command->add_option("--out", arguments->out, "Directory of the sweep, created or continued");
  command->add_flag("--dry-run", arguments->dry_run, "Print the plan with an estimate of time and disk, run nothing");
  command->add_flag("--retry", arguments->retry, "Try failed runs again");
  command->add_option("--jobs", arguments->jobs, "Processes at once; 0: as many as cores and memory allow")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command->add_option("--shard", arguments->shard, "Only every N-th run, from the I-th: I/N, or auto/N in a job array")
      ->capture_default_str();
  command->add_option("--finished", arguments->finished, "Long table (CSV) whose results are not computed again");
  command->require_subcommand(0, 1);
  add_sweep_status(*command, common);
  add_sweep_submit(*command, common);
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
