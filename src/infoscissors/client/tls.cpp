#ifdef INFOSCISSORS_GRPC

#include "infoscissors/client/tls.h"

#include "infoscissors/base/deleter.h"
#include "infoscissors/base/error.h"
#include "infoscissors/base/file.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>

namespace infoscissors::client {
namespace {

using base::Deleter;
using base::UsageError;

using Bio = std::unique_ptr<BIO, Deleter<BIO_free>>;
using Certificate = std::unique_ptr<X509, Deleter<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;

Bio open(const std::string& text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

/// An encrypted key would otherwise ask for its password on the terminal.
int no_password(char*, int, int, void*) {
  return -1;
}

Certificate first_certificate(const std::string& text) {
  Certificate certificate(PEM_read_bio_X509(open(text).get(), nullptr, no_password, nullptr));
  ERR_clear_error();
  return certificate;
}

Key private_key(const std::string& text) {
  Key key(PEM_read_bio_PrivateKey(open(text).get(), nullptr, no_password, nullptr));
  ERR_clear_error();
  return key;
}

std::string read(const std::filesystem::path& path, const char* option) {
  try {
    return base::read_file(path);
  } catch (const base::Error& error) {
    throw UsageError("{} {}", option, error.what());
  }
}

}  // namespace

TlsTexts read_tls(const TlsFiles& files) {
  TlsTexts texts;
  texts.authority = read(files.authority, "--tls-ca");
  if (!first_certificate(texts.authority)) {
    throw UsageError("--tls-ca {}: holds no certificate (PEM)", files.authority.string());
  }
  if (files.certificate.empty() != files.key.empty()) throw UsageError("--cert and --key belong together: give both");
  if (files.certificate.empty()) return texts;
  texts.certificate = read(files.certificate, "--cert");
  texts.key = read(files.key, "--key");
  const auto certificate = first_certificate(texts.certificate);
  if (!certificate) throw UsageError("--cert {}: holds no certificate (PEM)", files.certificate.string());
  const auto key = private_key(texts.key);
  if (!key) throw UsageError("--key {}: holds no private key without a password (PEM)", files.key.string());
  if (X509_check_private_key(certificate.get(), key.get()) != 1) {
    ERR_clear_error();
    throw UsageError("--key {}: is not the key of {}", files.key.string(), files.certificate.string());
  }
  return texts;
}

}  // namespace infoscissors::client

#endif
