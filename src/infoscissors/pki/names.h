#pragma once

#include <string>

namespace infoscissors::pki {

/// Throws UsageError unless `name` can be a certificate's common name, a file's name and a label in logs and metrics:
/// up to 64 letters, digits, '.', '_' and '-', the first a letter or digit, and no name of the authority's own files.
void check_name(const std::string& name);

/// Throws UsageError unless `name` is 1 to 64 printable ASCII characters.
void check_authority_name(const std::string& name);

/// The subject alternative name of a host as OpenSSL writes it: "IP:127.0.0.1" or "DNS:example.org". Throws UsageError
/// for what is neither; a first label '*' is allowed.
std::string alternative_name(const std::string& host);

}  // namespace infoscissors::pki
