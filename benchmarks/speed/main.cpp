// Sets a work up, answers "ready", and then, line by line on standard input, repeats it ("go": seconds) or tells the
// peak of its memory ("memory": MiB). See benchmarks/run.

#include "benchmarks/speed/work.h"
#include "infoscissors/base/error.h"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <sys/resource.h>

#include <iostream>

namespace infoscissors::speed {
namespace {

double peak_mib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;  // Linux counts KiB
}

void say(const std::string& line) {
  std::cout << line << std::endl;
}

std::unique_ptr<Work> make_work(const std::string& name, Options& options) {
  if (name == "train") return make_train_work(options);
  if (name == "batches") return make_batches_work(options);
  if (name == "attack") return make_attack_work(options);
  return make_ceiling_work(name, options);
}

void serve(Work& work) {
  for (std::string line; std::getline(std::cin, line);) {
    if (line == "go")
      say(fmt::format("{}", work.run()));
    else if (line == "memory")
      say(fmt::format("{}", peak_mib()));
    else
      throw base::UsageError("'go' or 'memory' was expected, got '{}'", line);
  }
}

int run(int argc, char** argv) {
  Options options;
  std::string name;
  CLI::App app{"One side of benchmarks/run"};
  app.add_option("work", name, "train, batches, attack, matmul or copy")->required();
  app.add_option("--set", options.settings, "key=value of the configuration");
  app.add_option("--classes", options.classes);
  app.add_option("--steps", options.steps, "train: steps a repetition");
  app.add_option("--attacked", options.attacked, "attack: how many images or features are attacked");
  app.add_option("--attack", options.attack, "specification of the attack");
  app.add_option("--out", options.out, "write what the other side needs to do the same");
  app.add_flag("--record", options.record, "run once, add to --out what came out, and stop");
  CLI11_PARSE(app, argc, argv);
  try {
    const auto work = make_work(name, options);
    if (!options.out.empty()) tensor::save_tensors(options.out, work->exchange());
    say("ready");
    if (!options.record) serve(*work);
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "speed: {}\n", error.what());
    return 1;
  }
}

}  // namespace
}  // namespace infoscissors::speed

int main(int argc, char** argv) {
  return infoscissors::speed::run(argc, argv);
}
