#include "cli/run_options.h"

namespace infoscissors::cli {

void add_evaluate(CLI::App& app, Common& common) {
  auto* command = app.add_subcommand("evaluate", "Measure a trained run's accuracy on the whole test split anew");
  command->footer("Example:\n  infoscissors evaluate out/input --json");
  auto directory = std::make_shared<std::string>();
  command->add_option("run", *directory, "Run directory")->required();
  command->callback([directory, &common] {
    auto run = experiment::Run::open(*directory, runtime_of(common));
    run.evaluate();
    emit(common, results::to_json(run.record()), summary(run.record()));
  });
}

}  // namespace infoscissors::cli
