#pragma once

#include "infoscissors/serve/settings.h"

#include <memory>
#include <mutex>
#include <string>
#include <string_view>

typedef struct x509_store_st X509_STORE;  // NOLINT(modernize-use-using): OpenSSL's own declaration

namespace infoscissors::serve {

/// Checks the files behind tls_cert, tls_key, client_ca and crl before anything listens: they must be readable PEM, the
/// key the certificate's, and there must be at least one authority (TLS libraries accept an empty file in silence).
/// Throws UsageError naming key and file. Nothing to do without TLS.
void check_tls_files(const Settings& settings);

/// Whose certificates are accepted: the authorities and their revocation lists.
class Trust {
 public:
  /// `crl` may be empty. With revocation lists, every authority that signed a shown certificate must have one that has
  /// not expired. Throws UsageError naming the file.
  static Trust load(const std::string& client_ca, const std::string& crl);

  /// Why a client's certificate (PEM) is refused; empty: it is accepted. `chain` holds its intermediates (PEM).
  std::string problem(std::string_view certificate, std::string_view chain) const;

 private:
  std::shared_ptr<X509_STORE> store_;
};

/// The Trust behind the settings' files, loaded again when they change. A file that cannot be used leaves what was.
class TrustFiles {
 public:
  /// Throws as Trust::load.
  explicit TrustFiles(const Settings& settings);

  std::shared_ptr<const Trust> current() const;
  /// Looks at the files; returns what was wrong with them, or nothing.
  std::string refresh();

 private:
  std::string seen() const;

  const std::string client_ca_, crl_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Trust> trust_;
  std::string seen_;
};

}  // namespace infoscissors::serve
