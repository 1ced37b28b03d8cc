#pragma once

#include "infoscissors/front/reply.h"
#include "infoscissors/front/request.h"
#include "infoscissors/front/route.h"
#include "infoscissors/serve/core.h"

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

/// What REST says to a request, without a socket: the part between the HTTP library and the server's core.
namespace infoscissors::front {

/// A request's head as the HTTP library has it.
struct Head {
  std::string method;
  std::string target;
  std::optional<std::string> json_length;    // kJsonLength
  bool ambiguous = false;                    // a header that must be unique was sent twice
  bool encoded = false;                      // Content-Encoding other than identity
  std::optional<std::uint64_t> body_length;  // Content-Length
};

class Service {
 public:
  explicit Service(serve::Core& core) : core_(core) {}

  /// The longest body worth reading: the binary form of the longest message with its JSON, or the same as text.
  std::size_t body_limit() const;

  /// What can be refused before a body is read: paths, methods, sizes. Counts what it refuses.
  std::optional<Reply> refuse(const Head& head, const serve::Caller& caller);

  /// Answers everything but infer; refuse() had nothing against the head. `more` is appended to the metrics.
  Reply answer(const Head& head, const serve::Caller& caller, const std::string& more);

  /// An infer request that is under way or has been answered.
  struct Running {
    OutputForm form;
    serve::Ticket ticket;
  };

  /// Hands the request to the core, which calls `done` once, possibly before this returns. What the body is refused for
  /// is counted and thrown as wire::Error; `done` is not called then.
  Running infer(const Head& head, std::shared_ptr<const std::string> body, const serve::Caller& caller,
                serve::Done done);

  /// The answer to an infer request. An answer that the form cannot hold becomes an error.
  Reply finish(const serve::Outcome& outcome, const OutputForm& form);

  Reply refused(const serve::Caller& caller, wire::Code code, const std::string& message);

 private:
  serve::Core& core_;
};

/// The parameter with which Triton's clients bound a request: microseconds from now. Taken out of the parameters.
/// Throws wire::Error(invalid_argument) for anything but a whole number above 0.
std::optional<serve::Clock::time_point> take_deadline(wire::Parameters& parameters, serve::Clock::time_point now);

}  // namespace infoscissors::front
