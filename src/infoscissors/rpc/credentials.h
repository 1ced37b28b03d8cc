#pragma once

#include "infoscissors/serve/core.h"

#include <grpcpp/security/server_credentials.h>

#include <memory>
#include <mutex>
#include <string>

namespace infoscissors::rpc {

/// Where handshakes report whom they refused. gRPC may finish one after its server is gone, so the core is forgotten
/// first.
class Reporter {
 public:
  explicit Reporter(serve::Core& core) : core_(&core) {}

  void refused(const serve::Caller& caller, const std::string& problem) {
    const std::lock_guard lock(mutex_);
    if (core_) core_->count_refused(caller, wire::Code::unauthenticated, problem);
  }
  void close() {
    const std::lock_guard lock(mutex_);
    core_ = nullptr;
  }

 private:
  std::mutex mutex_;
  serve::Core* core_;
};

/// Mutual TLS, 1.2 at least, by the core's settings: certificate and key are read again when they change, connections
/// that exist go on. Every handshake is checked once more by serve::Trust, which knows the revocation lists. Plaintext
/// where the settings name no certificate. Throws UsageError for files that cannot be used.
std::shared_ptr<grpc::ServerCredentials> credentials_of(serve::Core& core, std::shared_ptr<Reporter> reporter);

}  // namespace infoscissors::rpc
