#include "infoscissors/pki/pki.h"
#include "infoscissors/pki/x509.h"
#include "infoscissors/serve/trust.h"
#include "tests/rpc/support.h"
#include "tests/support/expect_error.h"

#include <gmock/gmock.h>
#include <grpcpp/security/credentials.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <ctime>

namespace infoscissors::rpc {
namespace {

using base::read_file;
using base::write_file;
using grpc::StatusCode;
using ::testing::HasSubstr;
using tests::message_of;

pki::Request device(const std::string& name) {
  pki::Request request;
  request.name = name;
  return request;
}

class TlsTest : public RpcTest {
 protected:
  TlsTest() {
    pki::init(pki_, {});
    pki::issue(pki_, {.name = "server", .kind = pki::Kind::server, .hosts = {"127.0.0.1"}});
    for (const auto* name : {"camera-1", "camera-2", "lost"}) pki::issue(pki_, device(name));
    pki::revoke(pki_, "lost");
    settings_.tls_cert = file("server.pem");
    settings_.tls_key = file("server.key");
    settings_.client_ca = file("ca.pem");
    settings_.crl = file("crl.pem");
  }

  std::string file(const std::string& name) const { return (pki_ / name).string(); }

  std::shared_ptr<grpc::Channel> dial(const std::string& certificate, const std::string& key,
                                      const std::string& authority) {
    grpc::SslCredentialsOptions options;
    options.pem_root_certs = authority;
    options.pem_cert_chain = certificate;
    options.pem_private_key = key;
    return connect(grpc::SslCredentials(options));
  }
  std::shared_ptr<grpc::Channel> dial(const std::string& name) {
    return dial(read_file(file(name + ".pem")), read_file(file(name + ".key")), read_file(file("ca.pem")));
  }

  /// One request over a channel that fails at once where it cannot connect.
  static grpc::Status ask_over(const std::shared_ptr<grpc::Channel>& channel) {
    const auto stub = inference::GRPCInferenceService::NewStub(channel);
    return infer(*stub, rpc::message_of(1, 1)).status;
  }

  /// A certificate of the test's authority with other dates.
  std::string certificate_of(const std::string& name, std::int64_t from, std::int64_t until, const std::string& key) {
    pki::Issued subject;
    subject.name = name;
    subject.serial = pki::make_serial();
    subject.from = from;
    subject.until = until;
    return pki::sign({read_file(file("ca.pem")), read_file(file("ca.key")), "test"}, key, subject);
  }

  std::filesystem::path pki_ = directory_ / "pki";
};

TEST_F(TlsTest, IdentityIsTheCertificates) {
  write_file(directory_ / "access.toml", "[models.net]\ndevices = ['camera-1']\n");
  settings_.access = (directory_ / "access.toml").string();
  start();
  EXPECT_TRUE(ask_over(dial("camera-1")).ok());
  EXPECT_EQ(ask_over(dial("camera-2")).error_code(), StatusCode::PERMISSION_DENIED);
  server_.reset();
  core_.reset();
  EXPECT_THAT(read_file(settings_.log), HasSubstr("\"device\":\"camera-1\""));
}

TEST_F(TlsTest, WhoMayNotConnectCannot) {
  start();
  const auto authority = read_file(file("ca.pem"));
  const auto refused = [](const std::shared_ptr<grpc::Channel>& channel) {
    EXPECT_EQ(ask_over(channel).error_code(), StatusCode::UNAVAILABLE);
  };
  refused(connect(grpc::InsecureChannelCredentials()));
  refused(dial("", "", authority));  // no certificate
  refused(dial("lost"));             // revoked
  const auto now = static_cast<std::int64_t>(std::time(nullptr));
  const auto key = pki::make_key();
  refused(dial(certificate_of("camera-3", now - 7200, now - 3600, key), key, authority));  // expired
  refused(dial(certificate_of("camera-3", now + 3600, now + 7200, key), key, authority));  // not yet valid
  EXPECT_TRUE(ask_over(dial(certificate_of("camera-3", now - 60, now + 3600, key), key, authority)).ok());
  const auto stranger = directory_ / "stranger";
  pki::init(stranger, {});
  pki::issue(stranger, device("camera-1"));
  refused(dial(read_file(stranger / "camera-1.pem"), read_file(stranger / "camera-1.key"), authority));  // wrong CA
  refused(dial("server"));  // a server's certificate is no device's
  EXPECT_TRUE(ask_over(dial("camera-1")).ok());
}

TEST_F(TlsTest, DevicesCanTellThatItIsTheWrongServer) {
  start();
  const auto stranger = directory_ / "stranger";
  pki::init(stranger, {});
  EXPECT_EQ(
      ask_over(dial(read_file(file("camera-1.pem")), read_file(file("camera-1.key")), read_file(stranger / "ca.pem")))
          .error_code(),
      StatusCode::UNAVAILABLE);
  pki::issue(pki_, {.name = "server", .kind = pki::Kind::server, .hosts = {"elsewhere.org"}, .replace = true});
  server_.reset();
  start();
  EXPECT_EQ(ask_over(dial("camera-1")).error_code(), StatusCode::UNAVAILABLE) << "wrong host";
}

/// What OpenSSL as a client makes of the server with one version of the protocol.
bool handshake(const std::string& address, int version, const std::string& certificate, const std::string& key) {
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  SSL_CTX_set_security_level(context.get(), 0);  // Debian's default would refuse old versions by itself
  SSL_CTX_set_min_proto_version(context.get(), version);
  SSL_CTX_set_max_proto_version(context.get(), version);
  SSL_CTX_use_certificate_file(context.get(), certificate.c_str(), SSL_FILETYPE_PEM);
  SSL_CTX_use_PrivateKey_file(context.get(), key.c_str(), SSL_FILETYPE_PEM);
  const unsigned char protocols[] = "\x02h2";
  SSL_CTX_set_alpn_protos(context.get(), protocols, 3);
  const std::unique_ptr<BIO, decltype(&BIO_free_all)> bio(BIO_new_ssl_connect(context.get()), BIO_free_all);
  BIO_set_conn_hostname(bio.get(), address.c_str());
  return BIO_do_connect(bio.get()) == 1 && BIO_do_handshake(bio.get()) == 1;
}

TEST_F(TlsTest, OldProtocolsAreRefused) {
  start();
  const auto certificate = file("camera-1.pem"), key = file("camera-1.key");
  EXPECT_FALSE(handshake(server_->address(), TLS1_VERSION, certificate, key));
  EXPECT_FALSE(handshake(server_->address(), TLS1_1_VERSION, certificate, key));
  EXPECT_TRUE(handshake(server_->address(), TLS1_2_VERSION, certificate, key));
  EXPECT_TRUE(handshake(server_->address(), TLS1_3_VERSION, certificate, key));
}

TEST_F(TlsTest, RevocationListsAreReadAgain) {
  start();
  const auto old = dial("camera-2");
  EXPECT_TRUE(ask_over(old).ok());
  pki::revoke(pki_, "camera-2");
  core_->reload();
  EXPECT_EQ(ask_over(dial("camera-2")).error_code(), StatusCode::UNAVAILABLE);
  EXPECT_TRUE(ask_over(dial("camera-1")).ok());
  write_file(file("crl.pem"), "nothing");
  core_->reload();
  EXPECT_EQ(ask_over(dial("camera-2")).error_code(), StatusCode::UNAVAILABLE) << "a damaged list leaves the old one";
  EXPECT_TRUE(ask_over(dial("camera-1")).ok());
}

TEST_F(TlsTest, CertificatesRotateWithoutDroppedCalls) {
  settings_.reload_seconds = 0.5;  // gRPC looks every second
  start();
  const auto channel = dial("camera-1");
  ASSERT_TRUE(ask_over(channel).ok());
  // The new certificate is for another host: who can no longer connect sees the new one.
  pki::issue(pki_, {.name = "server", .kind = pki::Kind::server, .hosts = {"elsewhere.org"}, .replace = true});
  int waited = 0;
  while (ask_over(dial("camera-1")).ok()) {
    ASSERT_TRUE(ask_over(channel).ok()) << "the old connection goes on";
    ASSERT_LT(++waited, 20000);
  }
  ASSERT_TRUE(ask_over(channel).ok());
  EXPECT_EQ(channel->GetState(false), GRPC_CHANNEL_READY);
}

TEST_F(TlsTest, FilesThatCannotBeUsedAreRefused) {
  const auto problem = [this](std::string serve::Settings::*key, const std::string& content) {
    auto settings = settings_;
    write_file(directory_ / "wrong.pem", content);
    settings.*key = (directory_ / "wrong.pem").string();
    serve::Core core(settings, tests::fake_networks(control_));
    const auto direct = tests::message_of<base::UsageError>([&] { serve::check_tls_files(settings); });
    EXPECT_EQ(tests::message_of<base::UsageError>([&] { Server server(core); }), direct);
    return direct;
  };
  using serve::Settings;
  const auto certificate = read_file(file("camera-1.pem")), key = read_file(file("camera-1.key"));
  EXPECT_THAT(problem(&Settings::client_ca, ""), HasSubstr("holds no certificate"));
  EXPECT_THAT(problem(&Settings::client_ca, key), HasSubstr("holds no certificate"));
  EXPECT_THAT(problem(&Settings::client_ca, certificate), HasSubstr("no authority"));
  EXPECT_THAT(problem(&Settings::tls_cert, key), HasSubstr("tls_cert"));
  EXPECT_THAT(problem(&Settings::tls_cert, certificate), HasSubstr("is not the key"));
  EXPECT_THAT(problem(&Settings::tls_key, certificate), HasSubstr("no private key"));
  EXPECT_THAT(problem(&Settings::tls_key, key), HasSubstr("is not the key"));
  EXPECT_THAT(problem(&Settings::crl, certificate), HasSubstr("no revocation list"));
  settings_.crl = (directory_ / "missing.pem").string();
  EXPECT_THAT(tests::message_of<base::UsageError>([&] { serve::check_tls_files(settings_); }),
              HasSubstr("missing.pem"));
}

TEST_F(TlsTest, AdministratorsByCertificate) {
  settings_.management = true;
  settings_.administrators = {"camera-1"};
  start();
  const auto unload = [](const std::shared_ptr<grpc::Channel>& channel) {
    grpc::ClientContext context;
    patience(context);
    inference::RepositoryModelUnloadRequest request;
    request.set_model_name("net");
    inference::RepositoryModelUnloadResponse response;
    const auto stub = inference::GRPCInferenceService::NewStub(channel);
    return stub->RepositoryModelUnload(&context, request, &response);
  };
  const auto refused = unload(dial("camera-2"));
  EXPECT_EQ(refused.error_code(), StatusCode::PERMISSION_DENIED) << refused.error_message();
  EXPECT_TRUE(ask_over(dial("camera-2")).ok());
  const auto done = unload(dial("camera-1"));
  EXPECT_TRUE(done.ok()) << done.error_message();
  EXPECT_EQ(ask_over(dial("camera-2")).error_code(), StatusCode::UNAVAILABLE);
}

}  // namespace
}  // namespace infoscissors::rpc
