#pragma once

#include "infoscissors/serve/core.h"

#include <grpcpp/security/server_credentials.h>

#include <memory>

namespace infoscissors::rpc {

/// Mutual TLS, 1.2 at least, by the core's settings: certificate and key are read again when they change, connections
/// that exist go on. Every handshake is checked once more by serve::Trust, which knows the revocation lists. Plaintext
/// where the settings name no certificate. Throws UsageError for files that cannot be used.
std::shared_ptr<grpc::ServerCredentials> credentials_of(serve::Core& core);

}  // namespace infoscissors::rpc
