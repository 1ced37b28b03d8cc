#include "infoscissors/sweep/process.h"

#include "infoscissors/base/error.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace infoscissors::sweep {
namespace {

using base::Error;

constexpr std::array<std::string_view, 8> kClusterPrefixes = {"SLURM_", "SBATCH_", "SRUN_", "PMI_",
                                                              "PMI2_",  "PMIX_",   "OMPI_", "TORCHELASTIC_"};
constexpr std::array<std::string_view, 17> kReplaced = {"RANK",
                                                        "WORLD_SIZE",
                                                        "LOCAL_RANK",
                                                        "LOCAL_WORLD_SIZE",
                                                        "NODE_RANK",
                                                        "GROUP_RANK",
                                                        "MASTER_ADDR",
                                                        "MASTER_PORT",
                                                        "MPI_LOCALRANKID",
                                                        "MPI_LOCALNRANKS",
                                                        "JOB_COMPLETION_INDEX",
                                                        "PMI_RANK",
                                                        "PMI_SIZE",
                                                        "MV2_COMM_WORLD_RANK",
                                                        "OMP_NUM_THREADS",
                                                        "GROUP_WORLD_SIZE",
                                                        "ROLE_RANK"};

bool removed(std::string_view variable) {
  const auto name = variable.substr(0, variable.find('='));
  return std::find(kReplaced.begin(), kReplaced.end(), name) != kReplaced.end() ||
         std::any_of(kClusterPrefixes.begin(), kClusterPrefixes.end(),
                     [&](std::string_view prefix) { return name.starts_with(prefix); });
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> list;
  for (const auto& text : texts) list.push_back(const_cast<char*>(text.c_str()));
  list.push_back(nullptr);
  return list;
}

}  // namespace

std::vector<std::string> child_environment(std::int64_t threads) {
  std::vector<std::string> list;
  for (char** variable = ::environ; *variable != nullptr; ++variable) {
    if (!removed(*variable)) list.emplace_back(*variable);
  }
  list.push_back(fmt::format("OMP_NUM_THREADS={}", threads));
  return list;
}

pid_t start_process(const std::vector<std::string>& command, const std::vector<std::string>& environment,
                    const std::filesystem::path& output) {
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  ::posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  pid_t process = 0;
  const auto arguments = pointers(command);
  const auto variables = pointers(environment);
  const int code =
      ::posix_spawn(&process, command.front().c_str(), &actions, nullptr, arguments.data(), variables.data());
  ::posix_spawn_file_actions_destroy(&actions);
  if (code != 0) throw Error("{}: cannot be started: {}", command.front(), std::strerror(code));
  return process;
}

std::optional<Ended> poll_process(pid_t process) {
  int status = 0;
  const pid_t result = ::waitpid(process, &status, WNOHANG);
  if (result == 0 || (result < 0 && errno == EINTR)) return {};
  if (result < 0) throw Error("cannot wait for process {}: {}", process, std::strerror(errno));
  if (WIFSIGNALED(status)) return Ended{0, WTERMSIG(status)};
  return Ended{WEXITSTATUS(status), 0};
}

void follow_parent(pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) throw base::Interrupted("the sweep that started this process is gone");
}

std::filesystem::path own_program() {
  std::error_code code;
  auto path = std::filesystem::read_symlink("/proc/self/exe", code);
  if (code) throw Error("cannot find this program's own file: {}", code.message());
  return path;
}

}  // namespace infoscissors::sweep
