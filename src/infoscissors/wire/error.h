#pragma once

#include "infoscissors/base/error.h"

#include <string>
#include <string_view>
#include <utility>

namespace infoscissors::wire {

/// How a request can end, and under which number gRPC and HTTP know it.
enum class Code {
  ok,
  invalid_argument,   // bad tensor or argument: 400
  not_found,          // unknown model or version: 404
  unavailable,        // queue full, draining, loading: 503
  too_large,          // RESOURCE_EXHAUSTED: 413
  limited,            // this device's rate or concurrency: RESOURCE_EXHAUSTED, 429
  unsupported,        // UNIMPLEMENTED: 501
  internal,           // 500
  unauthenticated,    // who are you: 401
  permission_denied,  // not yours: 403
  deadline,           // DEADLINE_EXCEEDED: 504
  cancelled,          // the client went away: 499
};
inline constexpr int kCodes = 12;

int grpc_status(Code code);
int http_status(Code code);

/// The code of a status that another server sent; what is not known becomes `internal`.
Code from_grpc_status(int status);

/// Lower case with underscores: the label in metrics and logs.
std::string_view name(Code code);

/// Why a request fails. The message goes to the client: it names tensors and sizes, never elements.
class Error : public base::Error {
 public:
  Error(Code code, const std::string& message) : base::Error(message), code_(code) {}
  template <class... Args>
  Error(Code code, fmt::format_string<Args...> format, Args&&... args) requires(sizeof...(Args) > 0)
      : base::Error(fmt::format(format, std::forward<Args>(args)...)), code_(code) {}

  Code code() const { return code_; }

 private:
  Code code_;
};

/// Text that came over the wire, fit for a message or a log: at most so many characters, '?' for whatever is not
/// printable ASCII, "..." where it was cut.
std::string printable(std::string_view text, std::size_t longest = 64);

}  // namespace infoscissors::wire
