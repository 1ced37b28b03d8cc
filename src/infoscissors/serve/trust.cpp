#include "infoscissors/serve/trust.h"

#include "infoscissors/base/deleter.h"
#include "infoscissors/base/error.h"
#include "infoscissors/base/file.h"

#include <sys/stat.h>

#ifdef INFOSCISSORS_OPENSSL
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#endif

#include <utility>
#include <vector>

namespace infoscissors::serve {

#ifdef INFOSCISSORS_OPENSSL
namespace {

using base::Deleter;
using base::UsageError;

using Bio = std::unique_ptr<BIO, Deleter<BIO_free_all>>;
using Certificate = std::unique_ptr<X509, Deleter<X509_free>>;
using RevocationList = std::unique_ptr<X509_CRL, Deleter<X509_CRL_free>>;
using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using Context = std::unique_ptr<X509_STORE_CTX, Deleter<X509_STORE_CTX_free>>;

Bio memory(std::string_view text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

/// No terminal may be asked for a passphrase.
int no_passphrase(char*, int, int, void*) {
  return -1;
}

std::vector<Certificate> certificates(std::string_view pem) {
  std::vector<Certificate> list;
  const auto bio = memory(pem);
  while (auto* next = PEM_read_bio_X509(bio.get(), nullptr, no_passphrase, nullptr)) list.emplace_back(next);
  ERR_clear_error();  // the end of the text is an error to OpenSSL
  return list;
}

std::vector<RevocationList> revocation_lists(std::string_view pem) {
  std::vector<RevocationList> list;
  const auto bio = memory(pem);
  while (auto* next = PEM_read_bio_X509_CRL(bio.get(), nullptr, no_passphrase, nullptr)) list.emplace_back(next);
  ERR_clear_error();
  return list;
}

std::string read(const char* key, const std::string& path) {
  try {
    return base::read_file(path);
  } catch (const base::Error& error) {
    throw UsageError("[serve] {}: {}", key, error.what());
  }
}

std::shared_ptr<X509_STORE> store_of(const std::string& client_ca, const std::string& crl) {
  std::shared_ptr<X509_STORE> store(X509_STORE_new(), X509_STORE_free);
  const auto authorities = certificates(read("client_ca", client_ca));
  if (authorities.empty()) throw UsageError("[serve] client_ca: {} holds no certificate (PEM)", client_ca);
  for (const auto& authority : authorities) {
    if (X509_check_ca(authority.get()) == 0) {
      throw UsageError("[serve] client_ca: {} holds a certificate that is no authority's", client_ca);
    }
    X509_STORE_add_cert(store.get(), authority.get());
  }
  if (crl.empty()) return store;
  const auto lists = revocation_lists(read("crl", crl));
  if (lists.empty()) throw UsageError("[serve] crl: {} holds no revocation list (PEM)", crl);
  for (const auto& list : lists) X509_STORE_add_crl(store.get(), list.get());
  X509_STORE_set_flags(store.get(), X509_V_FLAG_CRL_CHECK);
  return store;
}

}  // namespace

void check_tls_files(const Settings& settings) {
  if (!settings.tls()) return;
  const auto chain = certificates(read("tls_cert", settings.tls_cert));
  if (chain.empty()) throw UsageError("[serve] tls_cert: {} holds no certificate (PEM)", settings.tls_cert);
  const auto text = read("tls_key", settings.tls_key);
  const Key key(PEM_read_bio_PrivateKey(memory(text).get(), nullptr, no_passphrase, nullptr));
  ERR_clear_error();
  if (!key) {
    throw UsageError("[serve] tls_key: {} holds no private key (PEM, without passphrase)", settings.tls_key);
  }
  if (X509_check_private_key(chain.front().get(), key.get()) != 1) {
    ERR_clear_error();
    throw UsageError("[serve] tls_key: {} is not the key of the certificate in {}", settings.tls_key,
                     settings.tls_cert);
  }
  Trust::load(settings.client_ca, settings.crl);
}

Trust Trust::load(const std::string& client_ca, const std::string& crl) {
  Trust trust;
  trust.store_ = store_of(client_ca, crl);
  return trust;
}

std::string Trust::problem(std::string_view certificate, std::string_view chain) const {
  const auto leaf = certificates(certificate);
  if (leaf.empty()) return "no certificate was shown";
  const auto others = certificates(chain);
  auto* untrusted = sk_X509_new_null();
  for (const auto& other : others) sk_X509_push(untrusted, other.get());
  const Context context(X509_STORE_CTX_new());
  std::string problem;
  if (X509_STORE_CTX_init(context.get(), store_.get(), leaf.front().get(), untrusted) != 1 ||
      X509_STORE_CTX_set_purpose(context.get(), X509_PURPOSE_SSL_CLIENT) != 1) {
    problem = "the certificate cannot be checked";
  } else if (X509_verify_cert(context.get()) != 1) {
    problem = X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.get()));
  }
  sk_X509_free(untrusted);
  ERR_clear_error();
  return problem;
}

#else

void check_tls_files(const Settings& settings) {
  if (settings.tls()) throw base::UsageError("[serve] tls_cert: this build has no TLS (OpenSSL was not found)");
}

Trust Trust::load(const std::string&, const std::string&) {
  throw base::UsageError("[serve] client_ca: this build has no TLS (OpenSSL was not found)");
}

std::string Trust::problem(std::string_view, std::string_view) const {
  return "this build has no TLS";
}

#endif

TrustFiles::TrustFiles(const Settings& settings)
    : client_ca_(settings.client_ca),
      crl_(settings.crl),
      trust_(std::make_shared<const Trust>(Trust::load(client_ca_, crl_))),
      seen_(seen()) {}

std::shared_ptr<const Trust> TrustFiles::current() const {
  const std::lock_guard lock(mutex_);
  return trust_;
}

std::string TrustFiles::refresh() {
  auto now = seen();
  {
    const std::lock_guard lock(mutex_);
    if (now == seen_) return {};
    seen_ = std::move(now);
  }
  try {
    auto trust = std::make_shared<const Trust>(Trust::load(client_ca_, crl_));
    const std::lock_guard lock(mutex_);
    trust_ = std::move(trust);
    return {};
  } catch (const base::Error& error) {
    return error.what();
  }
}

std::string TrustFiles::seen() const {
  std::string text;
  for (const auto* path : {&client_ca_, &crl_}) {
    struct stat status {};
    if (path->empty() || ::stat(path->c_str(), &status) != 0) continue;
    text += fmt::format("{} {} {}.{};", status.st_ino, status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
  }
  return text;
}

}  // namespace infoscissors::serve
