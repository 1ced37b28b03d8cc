#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace infoscissors::sweep {

/// A job array whose tasks share one sweep by index.
struct SlurmOptions {
  std::int64_t tasks = 4;
  std::int64_t cpus = 1;  // of each task; as many runs at once
  std::string time;       // "8:00:00"; empty: the partition's own
  std::string memory;     // "8G"
  std::string partition;
  std::vector<std::string> extra;  // further options of sbatch: "--account=x"
};

/// What a task runs.
struct SlurmCommand {
  std::vector<std::string> words;   // infoscissors sweep FILE --out DIR ...; --shard is added
  std::filesystem::path directory;  // of the sweep
  std::filesystem::path working;    // in which it is run
  std::string name;
};

/// The batch script. Throws UsageError for values that a #SBATCH line cannot hold.
std::string slurm_script(const SlurmOptions& options, const SlurmCommand& command);

/// Hands a script to sbatch and returns the job's number. Throws Error with what sbatch said.
std::string submit(const std::filesystem::path& script, const std::filesystem::path& directory);

}  // namespace infoscissors::sweep
