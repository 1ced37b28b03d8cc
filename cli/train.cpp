#include "cli/run_options.h"

namespace infoscissors::cli {

void add_train(CLI::App& app, Common& common) {
  auto* command = app.add_subcommand("train", "Train a split network and measure its accuracy");
  command->footer(
      "Example:\n  infoscissors train configs/demo/input.toml --out out/input --set train.epochs=3\n"
      "Interrupted or killed, the same command goes on where it stood.");
  auto arguments = std::make_shared<RunArguments>();
  add_run_arguments(*command, *arguments);
  command->callback([arguments, &common] {
    const auto run = train(resolve(*arguments, common), *arguments);
    if (run) emit(common, results::to_json(run->record()), summary(run->record()));
  });
}

}  // namespace infoscissors::cli
