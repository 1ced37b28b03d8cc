#include "infoscissors/sweep/slurm.h"

#include "infoscissors/base/error.h"
#include "infoscissors/base/file.h"
#include "infoscissors/sweep/process.h"

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include <unistd.h>

namespace infoscissors::sweep {
namespace {

namespace fs = std::filesystem;
using base::Error;
using base::UsageError;

/// One word for the shell, whatever is in it.
std::string quoted(const std::string& word) {
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

std::string directive(const std::string& option) {
  if (option.find_first_of("\"\n\\") != std::string::npos) {
    throw UsageError("a #SBATCH line cannot hold quotes, backslashes or line breaks: {}",
                     option.substr(0, option.find('\n')));
  }
  const auto equals = option.find('=');
  if (equals == std::string::npos) return "#SBATCH " + option + "\n";
  return fmt::format("#SBATCH {}=\"{}\"\n", option.substr(0, equals), option.substr(equals + 1));
}

fs::path find_program(const std::string& name) {
  const char* path = std::getenv("PATH");
  std::string rest = path == nullptr ? "" : path;
  while (!rest.empty()) {
    const auto colon = rest.find(':');
    const auto candidate = fs::path(rest.substr(0, colon)) / name;
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
    rest = colon == std::string::npos ? "" : rest.substr(colon + 1);
  }
  throw Error("there is no {} on the PATH: submit where Slurm is installed, or use --dry-run to write the script only",
              name);
}

std::vector<std::string> own_environment() {
  std::vector<std::string> list;
  for (char** variable = ::environ; *variable != nullptr; ++variable) list.emplace_back(*variable);
  return list;
}

/// Up to the first of `ends`.
std::string up_to(const std::string& text, const char* ends) {
  const auto end = text.find_first_of(ends);
  return end == std::string::npos ? text : text.substr(0, end);
}

}  // namespace

std::string slurm_script(const SlurmOptions& options, const SlurmCommand& command) {
  std::string script = "#!/bin/bash\n";
  script += directive("--job-name=" + command.name);
  script += directive(fmt::format("--array=0-{}", options.tasks - 1));
  script += directive(fmt::format("--cpus-per-task={}", options.cpus));
  script += directive("--ntasks=1");
  script += directive("--chdir=" + command.working.string());
  script += directive("--output=" + (command.directory / "slurm" / "%A_%a.txt").string());
  // Two minutes before the time is up the runs save their state; the job is then submitted again.
  script += directive("--signal=B:TERM@120");
  if (!options.time.empty()) script += directive("--time=" + options.time);
  if (!options.memory.empty()) script += directive("--mem=" + options.memory);
  if (!options.partition.empty()) script += directive("--partition=" + options.partition);
  for (const auto& option : options.extra) script += directive(option);
  script += "exec";
  for (const auto& word : command.words) script += " " + quoted(word);
  return script + fmt::format(" --shard auto/{}\n", options.tasks);
}

std::string submit(const fs::path& script, const fs::path& directory) {
  const auto output = directory / "slurm" / "sbatch.txt";
  base::write_file(output, "");
  const auto process = start_process({find_program("sbatch"), "--parsable", script}, own_environment(), output);
  auto ended = poll_process(process);
  for (; !ended; ended = poll_process(process)) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  const auto said = base::read_file(output);
  if (ended->status != 0 || ended->signal != 0) throw Error("sbatch {}: {}", script.string(), up_to(said, "\n"));
  return up_to(said, ";\n");  // the number, or number;cluster
}

}  // namespace infoscissors::sweep
