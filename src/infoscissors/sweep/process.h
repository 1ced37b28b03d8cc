#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace infoscissors::sweep {

/// The environment of a run that is one process by itself: nothing in it says that it is one of several ranks or a
/// step of a cluster's job (SLURM_*, PMI*, OMPI_*, RANK, WORLD_SIZE, ...), and OpenMP has `threads` threads.
std::vector<std::string> child_environment(std::int64_t threads);

/// Starts a program with its output appended to a file. Throws Error.
pid_t start_process(const std::vector<std::string>& command, const std::vector<std::string>& environment,
                    const std::filesystem::path& output);

/// How a child ended.
struct Ended {
  int status = 0;  // exit status; 0 where a signal ended it
  int signal = 0;
};

/// Nothing while it runs.
std::optional<Ended> poll_process(pid_t process);

/// Asks the kernel to send this process SIGTERM when its parent dies; ends at once where that has happened already.
void follow_parent(pid_t parent);

/// This program's own file.
std::filesystem::path own_program();

}  // namespace infoscissors::sweep
