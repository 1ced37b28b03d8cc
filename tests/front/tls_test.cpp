#include "infoscissors/front/tls.h"

#include "infoscissors/base/file.h"
#include "infoscissors/pki/pki.h"
#include "tests/front/support.h"
#include "tests/support/expect_error.h"

#include <cstdio>
#include <memory>
#include <thread>

namespace infoscissors::front {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using tests::message_of;

// The command's standard output and error; curl is an independent client with another TLS library.
std::string output_of(const std::string& command) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen((command + " 2>&1").c_str(), "r"), ::pclose);
  std::string output;
  std::array<char, 4096> piece{};
  while (const auto got = std::fread(piece.data(), 1, piece.size(), pipe.get())) output.append(piece.data(), got);
  return output;
}

pki::Request device(const std::string& name) {
  pki::Request request;
  request.name = name;
  return request;
}

class Tls : public testing::Test {
 protected:
  void SetUp() override {
    if (!available()) GTEST_SKIP() << "built without the component http";
    if (!pki::available()) GTEST_SKIP() << "built without OpenSSL";
    pki::init(authority_, {});
    pki::issue(authority_, {.name = "server", .kind = pki::Kind::server, .hosts = {"127.0.0.1", "localhost"}});
    pki::issue(authority_, device("camera-1"));
    pki::issue(authority_, device("lost"));
    pki::revoke(authority_, "lost");
    pki::init(stranger_, {.name = "somebody else"});
    pki::issue(stranger_, device("camera-1"));
  }

  std::string file(const std::string& name) const { return (authority_ / name).string(); }

  serve::Settings settings() const {
    serve::Settings settings;
    settings.tls_cert = file("server.pem");
    settings.tls_key = file("server.key");
    settings.client_ca = file("ca.pem");
    settings.crl = file("crl.pem");
    return settings;
  }

  TlsFiles files() const { return {file("server.pem"), file("server.key"), file("ca.pem"), file("crl.pem")}; }

  // The status as curl sees it, 000 where there was none.
  std::string status(const Running& running, const std::string& certificate, const std::string& options = "",
                     const std::string& path = "/v2/models/net") const {
    const auto own = certificate.empty() ? "" : fmt::format("--cert {0}.pem --key {0}.key", certificate);
    return output_of(
        fmt::format("curl -s -o /dev/null -w '%{{http_code}}' --max-time 20 --cacert {} {} {} https://localhost:{}{}",
                    file("ca.pem"), own, options, running.port(), path));
  }

  tests::TemporaryDirectory directory_;
  std::filesystem::path authority_ = directory_.path() / "pki";
  std::filesystem::path stranger_ = directory_.path() / "stranger";
};

TEST_F(Tls, OnlyDevicesOfTheAuthorityGetIn) {
  Running running(settings());
  EXPECT_EQ(status(running, file("camera-1")), "200");
  EXPECT_EQ(status(running, ""), "000") << "without a certificate";
  EXPECT_EQ(status(running, (stranger_ / "camera-1").string()), "000") << "of another authority";
  EXPECT_EQ(status(running, file("lost")), "000") << "revoked";
  EXPECT_EQ(status(running, file("server")), "000") << "a server's certificate is no device's";
  EXPECT_EQ(status(running, file("camera-1"), "--tls-max 1.1"), "000") << "an old version";
  EXPECT_EQ(status(running, file("camera-1"), "--tls-max 1.2"), "200");
  EXPECT_EQ(status(running, file("camera-1"), "--tlsv1.3"), "200");
  Client plain(running.port());
  EXPECT_EQ(plain.get("/v2").status, 0) << "without TLS";
  EXPECT_EQ(status(running, file("camera-1")), "200") << "the server goes on";
}

TEST_F(Tls, TheCertificatesNameIsTheDevice) {
  auto wanted = settings();
  wanted.access = (directory_.path() / "access.toml").string();
  base::write_file(wanted.access, "[models.net]\ndevices = [\"camera-2\"]\n");
  Running running(wanted);
  EXPECT_EQ(status(running, file("camera-1")), "403");
  pki::issue(authority_, device("camera-2"));
  EXPECT_EQ(status(running, file("camera-2")), "200");
}

TEST_F(Tls, RevocationAndRotationNeedNoRestart) {
  auto wanted = settings();
  wanted.reload_seconds = 0;  // by hand, so that the test waits for nothing
  Running running(wanted);
  EXPECT_EQ(status(running, file("camera-1")), "200");
  pki::revoke(authority_, "camera-1");
  pki::issue(authority_, {.name = "server", .kind = pki::Kind::server, .hosts = {"localhost"}, .replace = true});
  running.core->reload();
  EXPECT_EQ(status(running, file("camera-1")), "000");
  pki::issue(authority_, device("camera-2"));
  EXPECT_EQ(status(running, file("camera-2")), "200");
  // Files that do not belong together change nothing.
  base::write_file(file("server.key"), base::read_file(file("camera-2.key")));
  running.core->reload();
  EXPECT_EQ(status(running, file("camera-2")), "200");
}

TEST_F(Tls, MaterialThatCannotBeUsedIsNamed) {
  using base::UsageError;
  const auto problem = [](const TlsFiles& wrong) { return message_of<UsageError>([&] { TlsMaterial{wrong}; }); };
  EXPECT_NO_THROW(TlsMaterial{files()});
  auto wrong = files();
  wrong.key = authority_ / "camera-1.key";
  EXPECT_THAT(problem(wrong), HasSubstr("camera-1.key cannot be used together"));
  wrong = files();
  wrong.certificate = authority_ / "nowhere.pem";
  EXPECT_THAT(problem(wrong), HasSubstr("nowhere.pem"));
  wrong = files();
  wrong.client_ca = authority_ / "index.json";
  EXPECT_THAT(problem(wrong), HasSubstr("index.json holds no certificate"));
  wrong = files();
  wrong.crl = stranger_ / "crl.pem";
  pki::revoke(stranger_, "camera-1");
  EXPECT_THAT(problem(wrong), HasSubstr("no revocation list (PEM) in it that an authority of"));
  wrong = files();
  wrong.client_ca.clear();
  EXPECT_THAT(problem(wrong), HasSubstr("crl.pem: a revocation list needs the authority's certificate"));
}

TEST_F(Tls, AHandshakeThatStopsIsTimedOut) {
  auto wanted = settings();
  wanted.handshake_seconds = 1;
  Running running(wanted);
  Client silent(running.port());
  Client garbage(running.port());
  garbage.send(std::string(1000, '\x16'));
  EXPECT_TRUE(silent.closed(15s));
  EXPECT_TRUE(garbage.closed(15s));
}

}  // namespace
}  // namespace infoscissors::front
