#include "cli/run_options.h"

#include "infoscissors/base/file.h"
#include "infoscissors/report/html.h"

namespace infoscissors::cli {

void add_run(CLI::App& app, Common& common) {
  auto* command = app.add_subcommand("run", "Train, attack and report in one go");
  command->footer(
      "Example:\n  infoscissors run configs/demo/input.toml --out out/input --judge out/none\n"
      "What is done already is not done again; interrupted or killed, the same command goes on.");
  auto arguments = std::make_shared<RunArguments>();
  add_run_arguments(*command, *arguments);
  add_judge(*command, arguments->judge);
  command->callback([arguments, &common] {
    const auto config = resolve(*arguments, common);
    auto trained = train(config, *arguments);
    if (!trained) return;
    auto& run = *trained;
    apply_judge(run, arguments->judge, common);
    for (const auto& attack : config.attacks) run.attack(attack, std::nullopt, false);
    report::write_report({arguments->out}, run.directory() / "report.html");
    emit(common, results::to_json(run.record()), summary(run.record()));
  });
}

}  // namespace infoscissors::cli
