#include "infoscissors/front/tls.h"

#include "infoscissors/base/error.h"
#include "infoscissors/base/file.h"
#include "infoscissors/serve/trust.h"

#ifdef INFOSCISSORS_HTTP
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#endif
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <utility>

namespace infoscissors::front {
namespace {

using base::UsageError;

// Changes whenever one of the files is replaced or written to, also within a second and also through a symbolic link,
// which is how container platforms exchange mounted secrets.
std::string stamp_of(const TlsFiles& files) {
  std::string stamp;
  for (const auto* path : {&files.certificate, &files.key, &files.client_ca, &files.crl}) {
    struct stat info {};
    if (path->empty() || ::stat(path->c_str(), &info) != 0) {
      stamp += "-;";
    } else {
      stamp += fmt::format("{}:{}:{}.{};", info.st_ino, info.st_size, info.st_mtim.tv_sec, info.st_mtim.tv_nsec);
    }
  }
  return stamp;
}

}  // namespace

TlsRotation::TlsRotation(TlsFiles files) : files_(std::move(files)), stamp_(stamp_of(files_)) {
  current_ = std::make_shared<const TlsMaterial>(files_);
}

bool TlsRotation::refresh() {
  const std::lock_guard lock(mutex_);
  auto stamp = stamp_of(files_);
  if (stamp == stamp_) return false;
  stamp_ = std::move(stamp);
  current_ = std::make_shared<const TlsMaterial>(files_);
  return true;
}

#ifdef INFOSCISSORS_HTTP

namespace {

constexpr std::size_t kLongestName = 64;  // RFC 5280's upper bound of a common name

gnutls_datum_t datum_of(const std::string& text) {
  return {reinterpret_cast<unsigned char*>(const_cast<char*>(text.data())), static_cast<unsigned>(text.size())};
}

std::string read_pem(const std::filesystem::path& path) {
  try {
    return base::read_file(path);
  } catch (const base::Error& error) {
    throw UsageError("{}", error.what());
  }
}

// Called by GnuTLS in the handshake; anything but 0 ends it.
int verify(gnutls_session_t session) {
  // A certificate that was issued to a server, or to anything else, is no device.
  std::string purpose = GNUTLS_KP_TLS_WWW_CLIENT;
  gnutls_typed_vdata_st demand{GNUTLS_DT_KEY_PURPOSE_OID, reinterpret_cast<unsigned char*>(purpose.data()), 0};
  unsigned status = 0;
  if (gnutls_certificate_verify_peers(session, &demand, 1, &status) < 0 || status != 0)
    return GNUTLS_E_CERTIFICATE_ERROR;
  return 0;
}

std::string pem_of(const gnutls_datum_t& der) {
  gnutls_datum_t text{};
  if (gnutls_pem_base64_encode2("CERTIFICATE", &der, &text) < 0) return {};
  std::string pem(reinterpret_cast<const char*>(text.data), text.size);
  gnutls_free(text.data);
  return pem;
}

struct Certificate {
  gnutls_x509_crt_t handle = nullptr;
  Certificate() { gnutls_x509_crt_init(&handle); }
  ~Certificate() { gnutls_x509_crt_deinit(handle); }
  Certificate(const Certificate&) = delete;
  Certificate& operator=(const Certificate&) = delete;
};

std::optional<std::string> common_name(const Certificate& certificate) {
  std::array<char, kLongestName + 1> text{};
  std::size_t size = text.size();
  if (gnutls_x509_crt_get_dn_by_oid(certificate.handle, GNUTLS_OID_X520_COMMON_NAME, 0, 0, text.data(), &size) < 0)
    return {};
  std::size_t second = 0;
  if (gnutls_x509_crt_get_dn_by_oid(certificate.handle, GNUTLS_OID_X520_COMMON_NAME, 1, 0, nullptr, &second) !=
      GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
    return {};
  std::string name(text.data(), size);
  const auto harmless = [](unsigned char c) { return c >= 0x20 && c != 0x7f; };
  if (name.empty() || !std::all_of(name.begin(), name.end(), harmless)) return {};
  return name;
}

}  // namespace

struct TlsMaterial::State {
  gnutls_certificate_credentials_t credentials = nullptr;
  std::string certificate, key;
  std::optional<serve::Trust> trust;  // the rules of gRPC's side; also says whether a certificate is demanded

  State() { gnutls_certificate_allocate_credentials(&credentials); }
  ~State() { gnutls_certificate_free_credentials(credentials); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  void load_key(const TlsFiles& files) {
    certificate = read_pem(files.certificate);
    key = read_pem(files.key);
    const auto pem = datum_of(certificate), secret = datum_of(key);
    const int status = gnutls_certificate_set_x509_key_mem(credentials, &pem, &secret, GNUTLS_X509_FMT_PEM);
    if (status < 0) {
      throw UsageError("the certificate {} and the key {} cannot be used together: {}", files.certificate.string(),
                       files.key.string(), gnutls_strerror(status));
    }
  }

  // The list belongs to the credentials, which free it.
  void load_trust(const TlsFiles& files) {
    trust = serve::Trust::load(files.client_ca.string(), files.crl.string());
    gnutls_x509_trust_list_t list = nullptr;
    gnutls_x509_trust_list_init(&list, 0);
    gnutls_certificate_set_trust_list(credentials, list, 0);
    const auto authorities = read_pem(files.client_ca);
    auto pem = datum_of(authorities);
    const int count = gnutls_x509_trust_list_add_trust_mem(list, &pem, nullptr, GNUTLS_X509_FMT_PEM, 0, 0);
    if (count <= 0) throw UsageError("{}: no certificate of an authority (PEM) in it", files.client_ca.string());
    if (!files.crl.empty()) {
      const auto revoked = read_pem(files.crl);
      pem = datum_of(revoked);
      const int lists =
          gnutls_x509_trust_list_add_trust_mem(list, nullptr, &pem, GNUTLS_X509_FMT_PEM, GNUTLS_TL_VERIFY_CRL, 0);
      if (lists <= 0) {
        throw UsageError("{}: no revocation list (PEM) in it that an authority of {} signed and that is still valid",
                         files.crl.string(), files.client_ca.string());
      }
    }
    gnutls_certificate_set_verify_function(credentials, verify);
  }
};

TlsMaterial::TlsMaterial(const TlsFiles& files) : state_(std::make_unique<State>()) {
  if (!files.crl.empty() && files.client_ca.empty())
    throw UsageError("{}: a revocation list needs the authority's certificate beside it", files.crl.string());
  state_->load_key(files);
  if (!files.client_ca.empty()) state_->load_trust(files);
}

TlsMaterial::~TlsMaterial() = default;

void TlsMaterial::attach(gnutls_session_int* session) const {
  gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, state_->credentials);
  gnutls_certificate_server_set_request(session, state_->trust ? GNUTLS_CERT_REQUIRE : GNUTLS_CERT_IGNORE);
}

std::optional<std::string> TlsMaterial::identity(gnutls_session_int* session) const {
  if (!state_->trust) return std::string();
  unsigned count = 0;
  const auto* peers = gnutls_certificate_get_peers(session, &count);
  if (peers == nullptr || count == 0) return {};
  // The handshake has verified them. Asked again by what gRPC's side asks, so that both protocols let the same devices
  // in and a way around the handshake's own check would lead nowhere.
  std::string chain;
  for (unsigned i = 1; i < count; ++i) chain += pem_of(peers[i]);
  if (!state_->trust->problem(pem_of(peers[0]), chain).empty()) return {};
  const Certificate own;
  if (gnutls_x509_crt_import(own.handle, &peers[0], GNUTLS_X509_FMT_DER) < 0) return {};
  return common_name(own);
}

const std::string& TlsMaterial::certificate() const {
  return state_->certificate;
}

const std::string& TlsMaterial::key() const {
  return state_->key;
}

#else

struct TlsMaterial::State {
  std::string nothing;
};

TlsMaterial::TlsMaterial(const TlsFiles&) {
  throw UsageError("this build has no REST front: it was configured without libmicrohttpd and GnuTLS");
}
TlsMaterial::~TlsMaterial() = default;
void TlsMaterial::attach(gnutls_session_int*) const {}
std::optional<std::string> TlsMaterial::identity(gnutls_session_int*) const {
  return {};
}
const std::string& TlsMaterial::certificate() const {
  return state_->nothing;
}
const std::string& TlsMaterial::key() const {
  return state_->nothing;
}

#endif

}  // namespace infoscissors::front
