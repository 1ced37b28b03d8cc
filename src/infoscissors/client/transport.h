#pragma once

#include "infoscissors/wire/check.h"
#include "infoscissors/wire/tensor.h"

#include <chrono>
#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

/// The device's way to a server of the Open Inference Protocol.
namespace infoscissors::client {

using Clock = std::chrono::steady_clock;

/// What one attempt brought back. The response is parsed but not believed: see Session.
struct Reply {
  wire::Response response;
  std::uint64_t bytes_sent = 0, bytes_received = 0;  // of the messages, without headers
};

/// What a server says of a model.
struct ModelMetadata {
  std::vector<wire::TensorSpec> inputs, outputs;
};

/// Carries one request to a server. Implementations are safe to use from several threads at once.
class Transport {
 public:
  virtual ~Transport() = default;

  /// One attempt, which ends by `deadline` or soon after a stop was requested. Throws wire::Error.
  virtual Reply infer(const wire::Request& request, Clock::time_point deadline, const std::stop_token& stop) = 0;

  /// Throws wire::Error.
  virtual ModelMetadata metadata(const std::string& model, Clock::time_point deadline, const std::stop_token& stop) = 0;

  /// Where it leads, for messages.
  virtual std::string destination() const = 0;
};

}  // namespace infoscissors::client
