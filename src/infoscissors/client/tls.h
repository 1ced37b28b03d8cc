#pragma once

#include "infoscissors/client/grpc.h"

#include <string>

namespace infoscissors::client {

/// The files' contents, checked.
struct TlsTexts {
  std::string authority, certificate, key;
};

/// gRPC takes a file without a certificate in silence and then trusts nobody, and a key of another certificate only
/// shows as a failed connection. Throws UsageError naming file and option.
TlsTexts read_tls(const TlsFiles& files);

}  // namespace infoscissors::client
