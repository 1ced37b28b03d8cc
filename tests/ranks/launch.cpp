#include "tests/ranks/launch.h"

#include "infoscissors/base/error.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <thread>

extern char** environ;

namespace infoscissors::tests {
namespace {

struct Child {
  pid_t pid = 0;
  std::FILE* output = nullptr;  // an unnamed file
  bool running = true;
  Ended ended;
};

Child start(const std::string& job, const Variables& variables) {
  Child child;
  child.output = std::tmpfile();
  if (!child.output) throw base::Error("no temporary file");
  std::vector<std::string> environment;
  for (char** variable = environ; *variable; ++variable) environment.emplace_back(*variable);
  environment.push_back("INFOSCISSORS_TEST_JOB=" + job);
  for (const auto& [name, value] : variables) environment.push_back(name + "=" + value);
  std::vector<char*> pointers;
  for (auto& text : environment) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  std::string program = "/proc/self/exe", filter = "--gtest_filter=Worker.DoesItsJob";
  char* arguments[] = {program.data(), filter.data(), nullptr};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  for (const int stream : {STDOUT_FILENO, STDERR_FILENO}) {
    posix_spawn_file_actions_adddup2(&actions, fileno(child.output), stream);
  }
  const int failed = posix_spawn(&child.pid, program.c_str(), &actions, nullptr, arguments, pointers.data());
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) throw base::Error("a rank cannot be started");
  return child;
}

void collect(Child& child, int status) {
  child.running = false;
  child.ended.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  std::rewind(child.output);
  char buffer[4096];
  while (const auto count = std::fread(buffer, 1, sizeof buffer, child.output))
    child.ended.output.append(buffer, count);
  std::fclose(child.output);
}

}  // namespace

Variables place_of(int rank, int size, int port) {
  return {{"RANK", std::to_string(rank)},       {"WORLD_SIZE", std::to_string(size)},
          {"LOCAL_RANK", std::to_string(rank)}, {"LOCAL_WORLD_SIZE", std::to_string(size)},
          {"MASTER_ADDR", "127.0.0.1"},         {"MASTER_PORT", std::to_string(port)}};
}

int free_port() {
  const int descriptor = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  const bool bound = bind(descriptor, reinterpret_cast<sockaddr*>(&address), length) == 0 &&
                     getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &length) == 0;
  close(descriptor);
  if (!bound) throw base::Error("no port is free");
  return ntohs(address.sin_port);
}

std::vector<Ended> launch(const std::string& job, int size, const std::function<Variables(int rank)>& variables) {
  std::vector<Child> children;
  for (int rank = 0; rank < size; ++rank) children.push_back(start(job, variables(rank)));
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(10);
  for (bool killed = false;;) {
    bool running = false;
    for (auto& child : children) {
      int status = 0;
      if (child.running && waitpid(child.pid, &status, WNOHANG) == child.pid) collect(child, status);
      running = running || child.running;
    }
    if (!running) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    if (killed || std::chrono::steady_clock::now() < deadline) continue;
    killed = true;
    for (const auto& child : children) {
      if (child.running) kill(child.pid, SIGKILL);
    }
  }
  std::vector<Ended> all;
  for (auto& child : children) all.push_back(std::move(child.ended));
  return all;
}

std::vector<Ended> launch(const std::string& job, int size, const Variables& more) {
  const int port = free_port();
  return launch(job, size, [&](int rank) {
    auto variables = more;
    variables.merge(place_of(rank, size, port));
    return variables;
  });
}

}  // namespace infoscissors::tests
