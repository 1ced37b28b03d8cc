#pragma once

#include <sys/types.h>
#include <chrono>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace infoscissors::bench {

/// A server in a process of its own, which ends with this object, or with this process if it dies first.
class Child {
 public:
  /// Starts the program and waits until it writes a line "ready KEY=VALUE..." to stdout or stderr. Throws Error with
  /// the last lines where it ends or keeps silent for `patience`.
  explicit Child(const std::vector<std::string>& command, std::chrono::seconds patience = std::chrono::seconds(60));
  /// SIGTERM, and SIGKILL after ten seconds.
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  pid_t pid() const { return pid_; }

  /// The value of KEY in the ready line. Throws Error where it has none.
  std::string ready(const std::string& key) const;

 private:
  void start(const std::vector<std::string>& command);
  void wait_for_ready(const std::string& name, std::chrono::seconds patience);
  void drain();
  void end();

  pid_t pid_ = -1;
  int output_ = -1;
  std::string ready_;
  std::thread reader_;
};

/// This program's own file.
std::string this_program();

}  // namespace infoscissors::bench
