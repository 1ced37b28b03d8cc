#pragma once

#include "infoscissors/pki/pki.h"

#include <cstdint>
#include <string>
#include <vector>

/// What OpenSSL does for the authority: PEM text in, PEM text out. X.509 version 3 as RFC 5280 has it, EC P-256 keys,
/// ECDSA with SHA-256.
namespace infoscissors::pki {

/// A certificate with its key. `source` names their files in errors.
struct Pair {
  std::string certificate;
  std::string key;
  std::string source;
};

/// A new private key, PKCS #8 in PEM, not encrypted: servers and devices start without a person at the keyboard.
std::string make_key();

/// 127 random bits as 32 hexadecimal digits, never zero.
std::string make_serial();

/// The authority's own certificate: signs certificates and lists, no authorities below it.
std::string self_signed(const std::string& key, const std::string& name, std::int64_t from, std::int64_t until);

/// A certificate for the public half of `key`. Throws Error where the issuer's files are damaged or do not belong
/// together.
std::string sign(const Pair& issuer, const std::string& key, const Issued& subject);

/// The list of those of `issued` that are revoked.
std::string revocation_list(const Pair& issuer, std::int64_t number, std::int64_t now, std::int64_t until,
                            const std::vector<Issued>& issued);

}  // namespace infoscissors::pki
