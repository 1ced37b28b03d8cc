#pragma once

#include "infoscissors/client/retry.h"
#include "infoscissors/client/transport.h"
#include "infoscissors/wire/error.h"

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace infoscissors::client {

struct SessionOptions {
  std::string model;
  std::string version_id;     // pinned: the server must have it and say so; empty: any server's encoder, as it is
  wire::Signature signature;  // of the encoder
  std::chrono::milliseconds deadline{5000};  // of one call with all its attempts
  RetryOptions retry;
};

/// The features of one call, checked.
struct Answer {
  std::vector<float> features;                 // (rows, D), row-major, finite
  double round_trip_us = 0;                    // of the attempt that succeeded
  std::optional<double> queue_us, compute_us;  // as far as the server tells, and it is possible
  int attempts = 0;
  std::uint64_t bytes_sent = 0, bytes_received = 0;  // over all attempts that were answered
};

/// Calls one model on one server. Nothing that comes back is used before it was checked: the version, the request's id,
/// the output's name, type, shape and size, and that every value is finite. Only "unavailable" is tried again, with the
/// same bytes: a tensor released anew would hand the server a second draw of the noise. Safe to use from several
/// threads at once.
class Session {
 public:
  Session(std::shared_ptr<Transport> transport, SessionOptions options);

  /// `inputs` as wire::check wants them, of `rows` rows. Throws wire::Error: `unavailable` after the last attempt,
  /// `deadline`, `cancelled` after a stop, `internal` for an answer that is not to be believed, or the server's own.
  Answer infer(std::vector<wire::Tensor> inputs, std::int64_t rows, const std::stop_token& stop = {});

  const SessionOptions& options() const { return options_; }

  /// For tests: instead of pause(). Returns false when stopped.
  using Wait = std::function<bool(std::chrono::microseconds, const std::stop_token&)>;
  void set_wait(Wait wait) { wait_ = std::move(wait); }

 private:
  wire::Request request(std::vector<wire::Tensor> inputs);
  Answer check(const Reply& reply, const wire::Request& request, std::int64_t rows, double round_trip_us) const;

  std::shared_ptr<Transport> transport_;
  SessionOptions options_;
  std::uint64_t seed_;
  std::atomic<std::uint64_t> calls_{0};
  Wait wait_;
};

/// The signature of a model on a server that is not this program's: its one input and output, whatever they are
/// called. Throws wire::Error where types or sizes are not those of `expected`.
wire::Signature foreign_signature(const ModelMetadata& metadata, const wire::Signature& expected);

}  // namespace infoscissors::client
