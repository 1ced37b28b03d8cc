#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace infoscissors::base {

/// A failure a person should read: one line that names what was wrong and what would be right. Exit status 1.
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message) : std::runtime_error(message) {}
  template <class... Args>
  explicit Error(fmt::format_string<Args...> format, Args&&... args) requires(sizeof...(Args) > 0)
      : std::runtime_error(fmt::format(format, std::forward<Args>(args)...)) {}
};

/// Wrong usage or configuration: nothing was started. Exit status 2.
class UsageError : public Error {
 public:
  using Error::Error;
};

/// The person (or the system) asked to stop; the state has been saved. Exit status 130.
class Interrupted : public Error {
 public:
  using Error::Error;
};

}  // namespace infoscissors::base
