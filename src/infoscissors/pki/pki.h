#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

/// A certificate authority for tests and small installations: mutual TLS as one command. Its own key lies unencrypted
/// beside the certificates, readable by its owner alone; a fleet of devices deserves an authority on a machine of its
/// own.
///
/// DIR/ca.pem, ca.key   the authority's certificate and key
/// DIR/NAME.pem, .key   what was issued to NAME
/// DIR/crl.pem          the list of revoked certificates
/// DIR/index.json       the register of all that was issued
namespace infoscissors::pki {

/// Whether this build has OpenSSL; without it everything that makes a key or a certificate throws Error.
bool available();

/// A server proves its host names to devices; a device its name, the subject's common name, to servers. The extended
/// key usage says which, so that a device's certificate cannot pose as a server.
enum class Kind { server, device };

struct AuthorityOptions {
  std::string name = "InfoScissors test authority";
  std::int64_t days = 3650;
};

struct Request {
  std::string name;
  Kind kind = Kind::device;
  std::vector<std::string> hosts;  // DNS names and IP addresses; servers alone, at least one
  std::int64_t days = 365;
  bool replace = false;  // a second certificate for the same name, in the first one's files
};

/// One line of the register. Times are UTC in seconds since 1970.
struct Issued {
  std::string name;
  Kind kind = Kind::device;
  std::vector<std::string> hosts;
  std::string serial;  // 32 hexadecimal digits, upper case
  std::int64_t from = 0;
  std::int64_t until = 0;
  std::int64_t revoked = 0;  // 0: not revoked
};

/// "valid", "expired" or "revoked".
std::string status_of(const Issued& issued, std::int64_t now);

/// 2026-01-31T12:00:00Z.
std::string time_text(std::int64_t time);

/// Makes an authority in `directory`, which is created. Throws UsageError for a bad name or number of days, Error where
/// a file of an authority is there already: nothing is ever overwritten.
void init(const std::filesystem::path& directory, const AuthorityOptions& options);

/// Writes NAME.key (mode 0600) and NAME.pem, and enters the certificate into the register first: one that the register
/// does not know could not be revoked. It never outlives the authority's own. Throws UsageError for a bad name, host or
/// number of days and Error where NAME has files already and `replace` is not set.
Issued issue(const std::filesystem::path& directory, const Request& request);

/// Revokes every certificate that was issued to `name` and writes the new list. For a name that is revoked already the
/// list is written again: an interrupted call can be repeated. Returns what is revoked. Throws Error for an unknown
/// name.
std::vector<Issued> revoke(const std::filesystem::path& directory, const std::string& name);

/// Everything ever issued, in that order.
std::vector<Issued> list(const std::filesystem::path& directory);

}  // namespace infoscissors::pki
