#pragma once

#include <atomic>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

// GnuTLS's session without its header, so that nothing else has to include it.
struct gnutls_session_int;

namespace infoscissors::front {

struct TlsFiles {
  std::filesystem::path certificate;  // PEM, the server's own first, then its chain
  std::filesystem::path key;
  std::filesystem::path client_ca;  // empty: clients need no certificate
  std::filesystem::path crl;        // empty: nothing is revoked

  bool enabled() const { return !certificate.empty(); }
};

/// TLS 1.2 and 1.3 with forward secrecy and authenticated encryption, nothing else.
inline constexpr const char* kTlsPriorities =
    "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-RSA:-DHE-RSA:-AES-128-CBC:-AES-256-CBC:-AES-128-CCM:-AES-256-CCM:"
    "%SERVER_PRECEDENCE:%SAFE_RENEGOTIATION";

/// One loaded set of keys and certificates. It never changes: a rotation makes a new one, and handshakes in progress
/// keep theirs.
class TlsMaterial {
 public:
  /// Throws UsageError naming the file: unreadable, no certificate in it, a key that is not the certificate's, a
  /// revocation list that none of the authorities signed.
  explicit TlsMaterial(const TlsFiles& files);
  ~TlsMaterial();
  TlsMaterial(const TlsMaterial&) = delete;
  TlsMaterial& operator=(const TlsMaterial&) = delete;

  /// Gives a new session this material. Where there is an authority, the client's certificate is then demanded and
  /// verified in the handshake, before any byte of a request is read. Must outlive the session.
  void attach(gnutls_session_int* session) const;

  /// The client's name: the one common name of its certificate's subject; empty where none is demanded. Nothing where
  /// the session has no verified certificate though one is demanded, or its name is missing, doubled, longer than 64
  /// bytes or has control characters in it.
  std::optional<std::string> identity(gnutls_session_int* session) const;

  /// The PEM texts of the server's own certificate and key.
  const std::string& certificate() const;
  const std::string& key() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Replaces the material when one of the files changes.
class TlsRotation {
 public:
  explicit TlsRotation(TlsFiles files);

  std::shared_ptr<const TlsMaterial> current() const { return current_.load(); }

  /// Looks at the files; to be called about once a second. True where new material was loaded. Throws
  /// UsageError where a changed file cannot be used: once for each change, and the old material stays.
  bool refresh();

 private:
  TlsFiles files_;
  std::mutex mutex_;  // of looking
  std::string stamp_;
  std::atomic<std::shared_ptr<const TlsMaterial>> current_;
};

}  // namespace infoscissors::front
