#pragma once

#include "infoscissors/serve/core.h"

#include <chrono>
#include <memory>
#include <string>

namespace infoscissors::front {

/// A REST front that is listening.
class Server {
 public:
  virtual ~Server() = default;

  /// HOST:PORT; port 0 has become the one that was chosen.
  virtual const std::string& address() const = 0;

  /// Accepts nothing more, lets requests under way finish for at most `patience`, answers what is left with 503 and
  /// closes everything. Returns within `patience` and about a second whatever clients do. Idempotent.
  virtual void stop(std::chrono::milliseconds patience) = 0;
};

/// Whether this build has the component "http".
bool available();

/// Listens on settings().rest with the limits, certificates and times of the core's settings. The core must outlive
/// the server. Throws Error where the address is taken and UsageError where certificates cannot be used or this build
/// has no HTTP library.
std::unique_ptr<Server> start(serve::Core& core);

}  // namespace infoscissors::front
