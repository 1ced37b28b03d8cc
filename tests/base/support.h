#pragma once

#include "infoscissors/base/error.h"

#include <unistd.h>

#include <filesystem>
#include <functional>
#include <string>

namespace infoscissors::base {

/// The message of the Error that `work` throws, with "usage: " in front of a UsageError's; "no error" without one.
inline std::string error_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const UsageError& error) {
    return std::string("usage: ") + error.what();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

/// An empty directory of this process alone, removed at the end.
class Scratch {
 public:
  explicit Scratch(const std::string& name)
      : path_(std::filesystem::temp_directory_path() / fmt::format("infoscissors-{}-{}", name, ::getpid())) {
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  ~Scratch() { std::filesystem::remove_all(path_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline std::filesystem::path data_file(const std::string& name) {
  return std::filesystem::path(INFOSCISSORS_TEST_DATA) / name;
}

}  // namespace infoscissors::base
