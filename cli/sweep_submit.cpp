#include "cli/sweep.h"

#include "infoscissors/base/error.h"
#include "infoscissors/base/file.h"
#include "infoscissors/sweep/expand.h"
#include "infoscissors/sweep/finished.h"
#include "infoscissors/sweep/process.h"
#include "infoscissors/sweep/slurm.h"

namespace infoscissors::cli {
namespace {

namespace fs = std::filesystem;

struct SweepSubmitArguments {
  std::string file, out, finished;
  bool slurm = false, dry_run = false, retry = false;
  sweep::SlurmOptions options;
};

/// Absolute, because a job starts wherever its cluster likes.
sweep::SlurmCommand command_of(const SweepSubmitArguments& arguments, const Common& common, const std::string& name) {
  const auto out = fs::absolute(arguments.out);
  sweep::SlurmCommand command{.words = {sweep::own_program(), "sweep", fs::absolute(arguments.file), "--out", out},
                              .directory = out,
                              .working = fs::current_path(),
                              .name = name};
  auto& words = command.words;
  if (common.threads > 0) words.insert(words.end(), {"--threads", fmt::format("{}", common.threads)});
  if (common.device != "auto") words.insert(words.end(), {"--device", common.device});
  if (arguments.retry) words.emplace_back("--retry");
  if (!arguments.finished.empty()) words.insert(words.end(), {"--finished", fs::absolute(arguments.finished)});
  return command;
}

void run_submit(const SweepSubmitArguments& arguments, const Common& common) {
  if (!arguments.slurm) throw base::UsageError("sweep submit wants --slurm (for Kubernetes see docs/cluster.md)");
  const auto plan = sweep::make_plan(sweep::load_sweep_file(arguments.file));
  if (!arguments.finished.empty()) sweep::load_finished(arguments.finished);
  const auto script = sweep::slurm_script(arguments.options, command_of(arguments, common, plan.name));
  if (arguments.dry_run) {
    emit(common, {{"script", script}}, script);
    return;
  }
  sweep::store_plan(arguments.out, plan);
  const auto out = fs::absolute(arguments.out);
  base::ensure_directory(out / "slurm");
  const auto file = out / "slurm" / "sweep.sbatch";
  base::write_file(file, script);
  const auto job = sweep::submit(file, out);
  emit(common, {{"job", job}, {"script", file.string()}, {"tasks", arguments.options.tasks}},
       fmt::format("{}: job {} with {} tasks; `infoscissors sweep status {}` shows how far it is\n", plan.name, job,
                   arguments.options.tasks, arguments.out));
}

}  // namespace

void add_sweep_submit(CLI::App& sweep, Common& common) {
  auto* command = sweep.add_subcommand("submit", "Hand a sweep to a cluster as a job array");
  command->footer(
      "Example:\n  infoscissors sweep submit configs/small/figure4.toml --out out/figure4 --slurm --tasks 8 --cpus 4 "
      "--time 8:00:00\nSubmitted again, it runs what is missing.");
  auto arguments = std::make_shared<SweepSubmitArguments>();
  auto& options = arguments->options;
  command->add_option("file", arguments->file, "Sweep (TOML)")->required();
  command->add_option("--out", arguments->out, "Directory of the sweep, on a file system that every node sees")
      ->required();
  command->add_flag("--slurm", arguments->slurm, "Through sbatch");
  command->add_option("--tasks", options.tasks, "Tasks of the array")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  command->add_option("--cpus", options.cpus, "Cores of each task, as many runs at once")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  command->add_option("--time", options.time, "Limit of a task, e.g. 8:00:00");
  command->add_option("--mem", options.memory, "Memory of a task, e.g. 8G");
  command->add_option("--partition", options.partition, "Slurm's partition");
  command->add_option("--sbatch", options.extra, "A further option of sbatch: --sbatch=--account=x")
      ->take_all()
      ->allow_extra_args(false);
  command->add_flag("--retry", arguments->retry, "Try failed runs again");
  command->add_option("--finished", arguments->finished, "Long table (CSV) whose results are not computed again");
  command->add_flag("--dry-run", arguments->dry_run, "Print the script only");
  command->callback([arguments, &common] { run_submit(*arguments, common); });
}

}  // namespace infoscissors::cli
