#include "cli/bench.h"

namespace infoscissors::cli {

void add_bench(CLI::App& app, Common& common) {
  auto* command = app.add_subcommand("bench", "Measure what serving costs");
  command->require_subcommand(1);
  add_bench_serve(*command, common);
}

}  // namespace infoscissors::cli
