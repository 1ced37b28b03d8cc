#include "infoscissors/bench/child.h"

#include "infoscissors/base/error.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <system_error>

namespace infoscissors::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kKept = 2000;  // bytes of what a child wrote, for the error

std::string reason() {
  return std::generic_category().message(errno);
}

/// The line that begins with "ready ", without a break; empty while there is none.
std::string find_ready(const std::string& text) {
  std::size_t begin = text.starts_with("ready ") ? 0 : text.find("\nready ");
  if (begin == std::string::npos) return {};
  if (begin != 0) ++begin;
  const auto end = text.find('\n', begin);
  return end == std::string::npos ? std::string() : text.substr(begin, end - begin);
}

std::string tail(const std::string& text) {
  auto last = text.size() > kKept ? "..." + text.substr(text.size() - kKept) : text;
  std::replace(last.begin(), last.end(), '\n', ' ');
  return last;
}

}  // namespace

Child::Child(const std::vector<std::string>& command, std::chrono::seconds patience) {
  start(command);
  try {
    wait_for_ready(command.front(), patience);
  } catch (...) {
    end();
    throw;
  }
  reader_ = std::thread([this] { drain(); });
}

Child::~Child() {
  end();
}

void Child::start(const std::vector<std::string>& command) {
  std::vector<char*> arguments;
  for (const auto& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) throw base::Error("a pipe cannot be made: {}", reason());
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ == 0) {
    // Between fork and exec of a process with threads: system calls alone.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(127);
    ::dup2(pipe[1], STDOUT_FILENO);
    ::dup2(pipe[1], STDERR_FILENO);
    ::execvp(arguments[0], arguments.data());
    constexpr char kFailed[] = "cannot be started\n";
    (void)!::write(STDERR_FILENO, kFailed, sizeof kFailed - 1);
    ::_exit(127);
  }
  ::close(pipe[1]);
  output_ = pipe[0];
  if (pid_ < 0) throw base::Error("{}: cannot be started: {}", command.front(), reason());
}

void Child::wait_for_ready(const std::string& name, std::chrono::seconds patience) {
  const auto deadline = Clock::now() + patience;
  std::string text;
  std::array<char, 4096> block{};
  while (ready_.empty()) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) throw base::Error("{}: was not ready within {} s: {}", name, patience.count(), tail(text));
    pollfd waiting{output_, POLLIN, 0};
    if (::poll(&waiting, 1, static_cast<int>(left)) < 0 && errno != EINTR) throw base::Error("poll: {}", reason());
    if (waiting.revents == 0) continue;
    const auto size = ::read(output_, block.data(), block.size());
    if (size <= 0) throw base::Error("{}: ended before it was ready: {}", name, tail(text));
    text.append(block.data(), static_cast<std::size_t>(size));
    ready_ = find_ready(text);
  }
}

/// A full pipe would stop the child.
void Child::drain() {
  std::array<char, 4096> block{};
  while (::read(output_, block.data(), block.size()) > 0) {
  }
}

void Child::end() {
  if (pid_ > 0) {
    ::kill(pid_, SIGTERM);
    for (int i = 0; i < 1000 && ::waitpid(pid_, nullptr, WNOHANG) == 0; ++i) {
      if (i == 999) {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
        break;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }
  if (reader_.joinable()) reader_.join();
  if (output_ >= 0) ::close(output_);
  pid_ = output_ = -1;
}

std::string Child::ready(const std::string& key) const {
  const auto word = " " + key + "=";
  const auto begin = ready_.find(word);
  if (begin == std::string::npos) throw base::Error("'{}' does not say {}", ready_, key);
  const auto value = begin + word.size();
  return ready_.substr(value, ready_.find(' ', value) - value);
}

std::string this_program() {
  std::error_code code;
  const auto path = std::filesystem::read_symlink("/proc/self/exe", code);
  if (code) throw base::Error("/proc/self/exe: cannot be read: {}", code.message());
  return path.string();
}

}  // namespace infoscissors::bench
