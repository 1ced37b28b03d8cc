#pragma once

#include "infoscissors/base/error.h"

#include <cstdio>
#include <cstdlib>
#include <string>

namespace infoscissors::fuzz {

/// Runs `action`. Refusing is what bad input is for; the message must be one line of bounded length, for it ends in
/// logs. Any other exception, and any crash, is a finding.
template <class Action>
bool accepts(Action action, std::size_t longest = 4096) {
  try {
    action();
    return true;
  } catch (const base::Error& error) {
    const std::string message = error.what();
    if (message.size() > longest || message.find('\n') != std::string::npos) {
      std::fprintf(stderr, "a message of %zu bytes: %.300s\n", message.size(), message.c_str());
      std::abort();
    }
    return false;
  }
}

/// An invariant of accepted input.
inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

}  // namespace infoscissors::fuzz
