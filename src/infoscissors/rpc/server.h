#pragma once

#include "infoscissors/serve/core.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace infoscissors::rpc {

/// The core over gRPC: inference.GRPCInferenceService, grpc.health.v1 and reflection. Serves from its construction to
/// shutdown(), by the core's settings.
class Server {
 public:
  /// Throws base::Error for an address that cannot be listened on, UsageError for files of TLS.
  explicit Server(serve::Core& core);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  std::string address() const;  // HOST:PORT that is listened on
  std::size_t connections() const;

  /// Accepts nothing any more, lets calls under way end until `patience` is over and cancels the rest. Idempotent.
  /// Drain the core first, so that clients are told.
  void shutdown(std::chrono::milliseconds patience);

 private:
  struct Parts;
  std::shared_ptr<Parts> parts_;
};

}  // namespace infoscissors::rpc
