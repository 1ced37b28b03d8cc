#pragma once

#include "infoscissors/client/transport.h"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace infoscissors::client {

/// Mutual TLS: the authority that signed the server's certificate, and the device's own certificate and key (both or
/// none). PEM files.
struct TlsFiles {
  std::filesystem::path authority, certificate, key;
};

struct ConnectOptions {
  std::string server = {};                            // HOST:PORT, or unix:PATH
  std::optional<TlsFiles> tls = std::nullopt;         // without: plain text
  bool insecure = false;                              // plain text also beyond this machine
  std::size_t largest_answer = std::size_t{1} << 22;  // bytes; a longer one is refused
};

/// One gRPC channel to a server, which connects with the first call and again by itself. Needs the component "grpc";
/// throws Error where this build lacks it. Throws UsageError for an address that is none, TLS files that hold no
/// certificate or no key, a key that is another certificate's, and for plain text beyond this machine unless
/// `insecure`. Proxies of the environment are not used.
std::shared_ptr<Transport> connect(const ConnectOptions& options);

}  // namespace infoscissors::client
