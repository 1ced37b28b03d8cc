#include "infoscissors/pki/x509.h"

#include "infoscissors/base/deleter.h"
#include "infoscissors/base/error.h"
#include "infoscissors/pki/names.h"

#ifdef INFOSCISSORS_PKI

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <array>
#include <memory>

namespace infoscissors::pki {
namespace {

using base::Deleter;
using base::Error;

using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Deleter<X509_free>>;
using List = std::unique_ptr<X509_CRL, Deleter<X509_CRL_free>>;
using Revoked = std::unique_ptr<X509_REVOKED, Deleter<X509_REVOKED_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Deleter<X509_EXTENSION_free>>;
using Number = std::unique_ptr<BIGNUM, Deleter<BN_free>>;
using Integer = std::unique_ptr<ASN1_INTEGER, Deleter<ASN1_INTEGER_free>>;
using Time = std::unique_ptr<ASN1_TIME, Deleter<ASN1_TIME_free>>;
using Memory = std::unique_ptr<BIO, Deleter<BIO_free_all>>;

/// The last error of this thread's OpenSSL, which is thereby forgotten.
std::string reason() {
  std::array<char, 256> text{};
  ERR_error_string_n(ERR_peek_last_error(), text.data(), text.size());
  ERR_clear_error();
  return text.data();
}

void check(bool good, const char* what) {
  if (!good) throw Error("OpenSSL cannot {}: {}", what, reason());
}

Memory reader(const std::string& text) {
  Memory memory(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  check(memory != nullptr, "read from memory");
  return memory;
}

/// What `write` writes.
template <class Write>
std::string written(Write write) {
  const Memory memory(BIO_new(BIO_s_mem()));
  check(memory != nullptr && write(memory.get()) == 1, "write PEM");
  char* text = nullptr;
  const auto size = BIO_get_mem_data(memory.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

Key read_key(const std::string& text, const std::string& source) {
  Key key(PEM_read_bio_PrivateKey(reader(text).get(), nullptr, nullptr, nullptr));
  if (key == nullptr) throw Error("{}.key: is no private key in PEM form: {}", source, reason());
  return key;
}

Certificate read_certificate(const std::string& text, const std::string& source) {
  Certificate certificate(PEM_read_bio_X509(reader(text).get(), nullptr, nullptr, nullptr));
  if (certificate == nullptr) throw Error("{}.pem: is no certificate in PEM form: {}", source, reason());
  return certificate;
}

struct Issuer {
  Certificate certificate;
  Key key;
};

Issuer read_issuer(const Pair& pair) {
  Issuer issuer{read_certificate(pair.certificate, pair.source), read_key(pair.key, pair.source)};
  if (X509_check_private_key(issuer.certificate.get(), issuer.key.get()) != 1) {
    ERR_clear_error();
    throw Error("{0}.key: is not the key of {0}.pem", pair.source);
  }
  return issuer;
}

Integer integer(const std::string& hexadecimal) {
  BIGNUM* parsed = nullptr;
  check(BN_hex2bn(&parsed, hexadecimal.c_str()) == static_cast<int>(hexadecimal.size()), "read a serial number");
  const Number number(parsed);
  Integer result(BN_to_ASN1_INTEGER(number.get(), nullptr));
  check(result != nullptr, "encode a serial number");
  return result;
}

Time time_of(std::int64_t seconds) {
  Time result(ASN1_TIME_set(nullptr, static_cast<std::time_t>(seconds)));
  check(result != nullptr, "encode a time");
  return result;
}

/// `context` holds issuer and subject, from which the key identifiers are computed.
Extension extension(X509V3_CTX& context, int nid, const std::string& value) {
  Extension result(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  check(result != nullptr, "encode an extension");
  return result;
}

struct ExtensionText {
  int nid;
  std::string value;
};

/// Everything but extensions and signature.
Certificate unsigned_certificate(const Key& key, const std::string& name, const std::string& serial, std::int64_t from,
                                 std::int64_t until) {
  Certificate certificate(X509_new());
  check(certificate != nullptr, "make a certificate");
  const auto* text = reinterpret_cast<const unsigned char*>(name.data());
  check(X509_set_version(certificate.get(), 2) == 1 &&  // counted from 0: version 3
            X509_set_serialNumber(certificate.get(), integer(serial).get()) == 1 &&
            X509_set1_notBefore(certificate.get(), time_of(from).get()) == 1 &&
            X509_set1_notAfter(certificate.get(), time_of(until).get()) == 1 &&
            X509_set_pubkey(certificate.get(), key.get()) == 1 &&
            X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_UTF8, text,
                                       static_cast<int>(name.size()), -1, 0) == 1,
        "fill a certificate");
  return certificate;
}

std::string finish(Certificate certificate, X509* issuer, EVP_PKEY* issuer_key,
                   const std::vector<ExtensionText>& texts) {
  check(X509_set_issuer_name(certificate.get(), X509_get_subject_name(issuer)) == 1, "name the issuer");
  X509V3_CTX context{};
  X509V3_set_ctx(&context, issuer, certificate.get(), nullptr, nullptr, 0);
  for (const auto& [nid, value] : texts) {
    check(X509_add_ext(certificate.get(), extension(context, nid, value).get(), -1) == 1, "add an extension");
  }
  check(X509_sign(certificate.get(), issuer_key, EVP_sha256()) > 0, "sign a certificate");
  return written([&](BIO* out) { return PEM_write_bio_X509(out, certificate.get()); });
}

std::string alternative_names(const std::vector<std::string>& hosts) {
  std::string text;
  for (const auto& host : hosts) text += (text.empty() ? "" : ",") + alternative_name(host);
  return text;
}

void add_revoked(X509_CRL* list, const Issued& one) {
  Revoked entry(X509_REVOKED_new());
  check(entry != nullptr && X509_REVOKED_set_serialNumber(entry.get(), integer(one.serial).get()) == 1 &&
            X509_REVOKED_set_revocationDate(entry.get(), time_of(one.revoked).get()) == 1 &&
            X509_CRL_add0_revoked(list, entry.get()) == 1,
        "list a revoked certificate");
  (void)entry.release();  // the list's own now
}

}  // namespace

bool available() {
  return true;
}

std::string make_key() {
  const Key key(EVP_EC_gen("P-256"));
  check(key != nullptr, "make a key");
  return written(
      [&](BIO* out) { return PEM_write_bio_PKCS8PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr); });
}

std::string make_serial() {
  const Number number(BN_new());
  // The topmost of 127 bits is set, so that every number has the same length and none is zero.
  check(number != nullptr && BN_rand(number.get(), 127, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1,
        "draw a serial number");
  const std::unique_ptr<char, Deleter<[](char* text) { OPENSSL_free(text); }>> text(BN_bn2hex(number.get()));
  check(text != nullptr, "print a serial number");
  return text.get();
}

std::string self_signed(const std::string& key_text, const std::string& name, std::int64_t from, std::int64_t until) {
  const Key key = read_key(key_text, "the new");
  Certificate certificate = unsigned_certificate(key, name, make_serial(), from, until);
  X509* self = certificate.get();
  return finish(std::move(certificate), self, key.get(),
                {{NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
                 {NID_key_usage, "critical,keyCertSign,cRLSign"},
                 {NID_subject_key_identifier, "hash"}});
}

std::string sign(const Pair& pair, const std::string& key_text, const Issued& subject) {
  const Issuer issuer = read_issuer(pair);
  const Key key = read_key(key_text, subject.name);
  std::vector<ExtensionText> texts{{NID_basic_constraints, "critical,CA:FALSE"},
                                   {NID_key_usage, "critical,digitalSignature"},
                                   {NID_ext_key_usage, subject.kind == Kind::server ? "serverAuth" : "clientAuth"},
                                   {NID_subject_key_identifier, "hash"},
                                   {NID_authority_key_identifier, "keyid:always"}};
  if (!subject.hosts.empty()) texts.push_back({NID_subject_alt_name, alternative_names(subject.hosts)});
  return finish(unsigned_certificate(key, subject.name, subject.serial, subject.from, subject.until),
                issuer.certificate.get(), issuer.key.get(), texts);
}

std::string revocation_list(const Pair& pair, std::int64_t number, std::int64_t now, std::int64_t until,
                            const std::vector<Issued>& issued) {
  const Issuer issuer = read_issuer(pair);
  const List list(X509_CRL_new());
  check(list != nullptr && X509_CRL_set_version(list.get(), 1) == 1 &&  // counted from 0: version 2
            X509_CRL_set_issuer_name(list.get(), X509_get_subject_name(issuer.certificate.get())) == 1 &&
            X509_CRL_set1_lastUpdate(list.get(), time_of(now).get()) == 1 &&
            X509_CRL_set1_nextUpdate(list.get(), time_of(until).get()) == 1,
        "make a list of revoked certificates");
  for (const auto& one : issued) {
    if (one.revoked != 0) add_revoked(list.get(), one);
  }
  check(X509_CRL_sort(list.get()) == 1, "sort a list of revoked certificates");
  X509V3_CTX context{};
  X509V3_set_ctx(&context, issuer.certificate.get(), nullptr, nullptr, list.get(), 0);
  const auto identifier = extension(context, NID_authority_key_identifier, "keyid:always");
  const Integer counted = integer(fmt::format("{:X}", number));
  check(X509_CRL_add_ext(list.get(), identifier.get(), -1) == 1 &&
            X509_CRL_add1_ext_i2d(list.get(), NID_crl_number, counted.get(), 0, 0) == 1 &&
            X509_CRL_sign(list.get(), issuer.key.get(), EVP_sha256()) > 0,
        "sign a list of revoked certificates");
  return written([&](BIO* out) { return PEM_write_bio_X509_CRL(out, list.get()); });
}

}  // namespace infoscissors::pki

#else

namespace infoscissors::pki {
namespace {

base::Error missing() {
  return base::Error("certificates need the component \"pki\" (OpenSSL), which this build lacks");
}

}  // namespace

bool available() {
  return false;
}
std::string make_key() {
  throw missing();
}
std::string make_serial() {
  throw missing();
}
std::string self_signed(const std::string&, const std::string&, std::int64_t, std::int64_t) {
  throw missing();
}
std::string sign(const Pair&, const std::string&, const Issued&) {
  throw missing();
}
std::string revocation_list(const Pair&, std::int64_t, std::int64_t, std::int64_t, const std::vector<Issued>&) {
  throw missing();
}

}  // namespace infoscissors::pki

#endif
