#include "cli/sweep.h"

#include "infoscissors/sweep/status.h"

namespace infoscissors::cli {

void add_sweep_status(CLI::App& sweep, Common& common) {
  auto* command = sweep.add_subcommand("status", "How far a sweep is, while it runs or afterwards");
  command->footer("Example:\n  infoscissors sweep status out/figure4");
  auto directory = std::make_shared<std::string>();
  command->add_option("directory", *directory, "The sweep's directory")->required();
  command->callback([directory, &common] {
    const auto plan = sweep::load_plan(*directory);
    const auto runs = sweep::read_status(*directory, plan);
    emit(common, sweep::to_json(plan, runs), sweep::describe(plan, runs));
  });
}

}  // namespace infoscissors::cli
