#include "cli/run_options.h"

#include "infoscissors/base/error.h"

namespace infoscissors::cli {

void add_run_arguments(CLI::App& command, RunArguments& arguments) {
  command.add_option("config", arguments.config, "Configuration (TOML)")->required();
  command.add_option("--out", arguments.out, "Run directory, created or continued")->required();
  command.add_option("--set", arguments.set, "Replace one key: --set train.epochs=3")
      ->take_all()
      ->allow_extra_args(false);
  command
      .add_option("--ranks", arguments.ranks.mode,
                  "env: train one network on all processes that torchrun, srun or mpirun started; none: each its own")
      ->check(CLI::IsMember({"env", "none"}));
  command.add_option("--ranks-backend", arguments.ranks.backend, "auto, gloo or nccl")
      ->capture_default_str()
      ->check(CLI::IsMember({"auto", "gloo", "nccl"}));
  command.add_option("--ranks-timeout", arguments.ranks.timeout, "Seconds to wait for another rank before giving up")
      ->capture_default_str()
      ->check(CLI::Range(1, 86400));
}

std::optional<experiment::Run> train(experiment::RunConfig config, const RunArguments& arguments) {
  const auto group = experiment::join_ranks(config, arguments.ranks);
  if (group && group->rank() > 0) {
    experiment::assist(config, *group);
    return std::nullopt;
  }
  auto run = experiment::Run::start(config, arguments.out);
  run.train(group.get());
  return run;
}

void add_judge(CLI::App& command, std::string& judge) {
  command.add_option(
      "--judge", judge,
      "Run directory of an undefended network that tells whether reconstructions still show their class");
}

experiment::RuntimeOptions runtime_of(const Common& common) {
  experiment::RuntimeOptions runtime;
  runtime.device = common.device;
  runtime.precision = common.precision;
  runtime.threads = common.threads;
  return runtime;
}

experiment::RunConfig resolve(const RunArguments& arguments, const Common& common) {
  auto config = experiment::load_config(arguments.config);
  for (const auto& assignment : arguments.set) experiment::set_option(config, assignment);
  if (common.seed) config.seed = static_cast<std::int64_t>(*common.seed);
  if (common.device != "auto") config.runtime.device = common.device;
  if (common.precision != "auto") config.runtime.precision = common.precision;
  if (common.threads != 0) config.runtime.threads = common.threads;
  return config;
}

void apply_judge(experiment::Run& run, const std::string& directory, const Common& common) {
  if (directory.empty()) return;
  auto judge = experiment::Run::read(directory, runtime_of(common));
  const auto& config = judge.record().config;
  if (config.at("defense") != "none") {
    throw base::UsageError("--judge {}: must be an undefended run, but its defence is {}", directory,
                           config.at("defense").get<std::string>());
  }
  if (config.at("data").at("name") != run.record().config.at("data").at("name")) {
    throw base::UsageError("--judge {}: was trained on {}, not on {}", directory,
                           config.at("data").at("name").get<std::string>(),
                           run.record().config.at("data").at("name").get<std::string>());
  }
  run.set_judge(judge.trained());
}

std::string summary(const results::RunRecord& record) {
  std::string text = fmt::format("{}\n", record.config.at("defense").get<std::string>());
  for (const auto& [name, value] : record.measures) text += fmt::format("  {:<40} {:.4f}\n", name, value);
  for (const auto& attack : record.attacks) {
    for (const auto& [name, value] : attack.measures)
      text += fmt::format("  {:<40} {:.4f}\n", attack.spec + " " + name, value);
  }
  return text;
}

}  // namespace infoscissors::cli
