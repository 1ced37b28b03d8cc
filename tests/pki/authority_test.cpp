#include "infoscissors/base/file.h"
#include "infoscissors/base/json.h"
#include "infoscissors/pki/pki.h"
#include "infoscissors/pki/register.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"

#include <sys/stat.h>

#include <array>
#include <cstdio>
#include <ctime>
#include <regex>
#include <set>
#include <thread>

namespace infoscissors::pki {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using tests::message_of;

/// What the openssl command says of it, both streams: an implementation of its own of everything that is read here.
struct Outcome {
  int status;
  std::string output;
};

Outcome openssl(const std::string& arguments) {
  FILE* pipe = ::popen(("openssl " + arguments + " 2>&1").c_str(), "r");
  std::string output;
  std::array<char, 4096> block{};
  while (const auto size = std::fread(block.data(), 1, block.size(), pipe)) output.append(block.data(), size);
  return {::pclose(pipe), output};
}

mode_t mode_of(const std::filesystem::path& path) {
  struct stat status {};
  EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
  return status.st_mode & 0777U;
}

class Authority : public testing::Test {
 protected:
  void SetUp() override {
    if (!available()) GTEST_SKIP() << "built without pki";
    if (openssl("version").status != 0) GTEST_SKIP() << "there is no openssl command";
    init(directory_, {});
  }
  std::string file(const std::string& name) const { return (directory_ / name).string(); }
  Outcome verify(const std::string& name, const std::string& more = "") const {
    return openssl(fmt::format("verify -x509_strict -crl_check -CAfile {} -CRLfile {} {} {}", file("ca.pem"),
                               file("crl.pem"), more, file(name + ".pem")));
  }
  Issued device(const std::string& name, bool replace = false) const {
    return issue(directory_, {name, Kind::device, {}, 30, replace});
  }
  Issued server(const std::vector<std::string>& hosts) const {
    return issue(directory_, {"server", Kind::server, hosts, 30, false});
  }
  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(directory_))
      names.push_back(entry.path().filename().string());
    return names;
  }

  tests::TemporaryDirectory scratch_;
  const std::filesystem::path directory_ = scratch_ / "pki";
};

TEST_F(Authority, IsAnAuthorityAndNothingElse) {
  const auto text = openssl("x509 -noout -text -in " + file("ca.pem")).output;
  EXPECT_THAT(text, AllOf(HasSubstr("CA:TRUE, pathlen:0"), HasSubstr("Certificate Sign, CRL Sign"),
                          HasSubstr("CN = InfoScissors test authority"), HasSubstr("prime256v1"),
                          HasSubstr("ecdsa-with-SHA256"), HasSubstr("Version: 3")));
  EXPECT_EQ(openssl("verify -x509_strict -CAfile " + file("ca.pem") + " " + file("ca.pem")).status, 0);
  EXPECT_THAT(names(), testing::UnorderedElementsAre("ca.key", "ca.pem", "crl.pem", "index.json"));
}

TEST_F(Authority, KeysAreTheirOwnersAlone) {
  const auto before = ::umask(0);
  device("camera");
  ::umask(before);
  EXPECT_EQ(mode_of(directory_ / "ca.key"), 0600U);
  EXPECT_EQ(mode_of(directory_ / "camera.key"), 0600U);
  EXPECT_EQ(openssl("pkey -check -noout -in " + file("camera.key")).status, 0);
}

TEST_F(Authority, IssuesADevicesCertificate) {
  const auto issued = device("camera-1");
  EXPECT_EQ(verify("camera-1", "-purpose sslclient").status, 0) << verify("camera-1", "-purpose sslclient").output;
  EXPECT_NE(verify("camera-1", "-purpose sslserver").status, 0);
  EXPECT_EQ(openssl("x509 -noout -subject -nameopt RFC2253 -in " + file("camera-1.pem")).output,
            "subject=CN=camera-1\n");
  EXPECT_EQ(openssl("x509 -noout -serial -in " + file("camera-1.pem")).output, "serial=" + issued.serial + "\n");
  const auto text = openssl("x509 -noout -text -in " + file("camera-1.pem")).output;
  EXPECT_THAT(text, AllOf(HasSubstr("CA:FALSE"), HasSubstr("TLS Web Client Authentication"),
                          HasSubstr("Digital Signature"), HasSubstr("Authority Key Identifier"),
                          Not(HasSubstr("TLS Web Server Authentication")), Not(HasSubstr("Alternative Name"))));
  EXPECT_EQ(openssl("x509 -noout -pubkey -in " + file("camera-1.pem")).output,
            openssl("pkey -pubout -in " + file("camera-1.key")).output);
}

TEST_F(Authority, IssuesAServersCertificateForItsHosts) {
  server({"localhost", "*.example.org", "127.0.0.1", "::1"});
  for (const char* host :
       {"-verify_hostname localhost", "-verify_hostname a.example.org", "-verify_ip 127.0.0.1", "-verify_ip ::1"}) {
    EXPECT_EQ(verify("server", fmt::format("-purpose sslserver {}", host)).status, 0) << host;
  }
  for (const char* host : {"-verify_hostname example.org", "-verify_hostname server", "-verify_ip 127.0.0.2"}) {
    EXPECT_NE(verify("server", fmt::format("-purpose sslserver {}", host)).status, 0) << host;
  }
  EXPECT_NE(verify("server", "-purpose sslclient").status, 0);
}

TEST_F(Authority, CertificatesAreValidFromNowForTheirDaysAndNotLonger) {
  const auto now = std::time(nullptr);
  device("camera");
  const auto valid = [&](std::int64_t time) {
    return openssl(fmt::format("verify -attime {} -CAfile {} {}", time, file("ca.pem"), file("camera.pem"))).status ==
           0;
  };
  EXPECT_TRUE(valid(now));
  EXPECT_TRUE(valid(now - 200));  // a device's clock that is slow
  EXPECT_FALSE(valid(now - 1000));
  EXPECT_TRUE(valid(now + 29 * 86400));
  EXPECT_FALSE(valid(now + 31 * 86400));
}

TEST_F(Authority, NoCertificateOutlivesTheAuthority) {
  const auto short_lived = scratch_ / "short";
  init(short_lived, {"short", 10});
  const auto issued = issue(short_lived, {"camera", Kind::device, {}, 365, false});
  EXPECT_LE(issued.until, std::time(nullptr) + 10 * 86400);
  EXPECT_EQ(issued.until, read_register(short_lived).until);
}

TEST_F(Authority, RevokesByName) {
  const auto lost = device("lost"), kept = device("kept");
  EXPECT_EQ(verify("lost").status, 0);
  EXPECT_EQ(revoke(directory_, "lost").size(), 1U);
  EXPECT_NE(verify("lost").status, 0);
  EXPECT_THAT(verify("lost").output, HasSubstr("certificate revoked"));
  EXPECT_EQ(verify("kept").status, 0);
  const auto text = openssl("crl -noout -text -in " + file("crl.pem")).output;
  EXPECT_THAT(text, AllOf(HasSubstr(lost.serial), Not(HasSubstr(kept.serial)), HasSubstr("Version 2")));
  EXPECT_EQ(openssl("crl -noout -CAfile " + file("ca.pem") + " -in " + file("crl.pem")).status, 0);
}

TEST_F(Authority, ListsAreNumberedAndKeepWhatWasRevokedBefore) {
  const auto first = device("first"), second = device("second");
  const auto number = [&] { return openssl("crl -noout -crlnumber -in " + file("crl.pem")).output; };
  std::set<std::string> numbers{number()};
  revoke(directory_, "first");
  numbers.insert(number());
  revoke(directory_, "second");
  numbers.insert(number());
  EXPECT_EQ(numbers.size(), 3U);
  EXPECT_THAT(openssl("crl -noout -text -in " + file("crl.pem")).output,
              AllOf(HasSubstr(first.serial), HasSubstr(second.serial)));
}

TEST_F(Authority, RevokingAgainRepairsALostList) {
  device("lost");
  const auto time = revoke(directory_, "lost").at(0).revoked;
  std::filesystem::remove(directory_ / "crl.pem");
  EXPECT_EQ(revoke(directory_, "lost").at(0).revoked, time);
  EXPECT_THAT(verify("lost").output, HasSubstr("certificate revoked"));
}

TEST_F(Authority, ReplacesOnlyWhenAskedAndRevokesEveryCertificateOfTheName) {
  const auto before = device("camera");
  const auto old = base::read_file(directory_ / "camera.pem");
  EXPECT_THAT(message_of([&] { device("camera"); }),
              AllOf(HasSubstr("camera.pem: is there already"), HasSubstr("--replace")));
  EXPECT_EQ(base::read_file(directory_ / "camera.pem"), old);
  const auto after = device("camera", true);
  EXPECT_NE(after.serial, before.serial);
  EXPECT_EQ(verify("camera").status, 0);
  EXPECT_EQ(revoke(directory_, "camera").size(), 2U);
  base::write_file(directory_ / "old.pem", old);
  EXPECT_THAT(verify("camera").output, HasSubstr("certificate revoked"));
  EXPECT_THAT(verify("old").output, HasSubstr("certificate revoked"));
}

TEST_F(Authority, IsNeverOverwritten) {
  const auto key = base::read_file(directory_ / "ca.key");
  EXPECT_THAT(message_of([&] { init(directory_, {}); }), HasSubstr("index.json: is there already"));
  // Not even where an interrupted beginning left one of its files.
  std::filesystem::remove(directory_ / "index.json");
  EXPECT_THAT(message_of([&] { init(directory_, {}); }), HasSubstr("ca.key: is there already"));
  EXPECT_EQ(base::read_file(directory_ / "ca.key"), key);
}

TEST_F(Authority, AnotherAuthoritysCertificatesAreNotItsOwn) {
  const auto other = scratch_ / "other";
  init(other, {});
  issue(other, {"camera", Kind::device, {}, 30, false});
  EXPECT_NE(openssl("verify -CAfile " + file("ca.pem") + " " + (other / "camera.pem").string()).status, 0);
}

TEST_F(Authority, CommandsAtOnceLoseNothing) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) threads.emplace_back([this, i] { device(fmt::format("camera-{}", i)); });
  for (auto& thread : threads) thread.join();
  std::set<std::string> serials;
  for (const auto& one : list(directory_)) serials.insert(one.serial);
  EXPECT_EQ(serials.size(), 8U);
}

TEST_F(Authority, ListsInOrderWithStatus) {
  server({"localhost"});
  device("lost");
  revoke(directory_, "lost");
  const auto known = list(directory_);
  ASSERT_EQ(known.size(), 2U);
  const auto now = std::time(nullptr);
  EXPECT_EQ(status_of(known[0], now), "valid");
  EXPECT_EQ(status_of(known[0], now + 31 * 86400), "expired");
  EXPECT_EQ(status_of(known[1], now), "revoked");
  EXPECT_EQ(known[0].hosts, std::vector<std::string>{"localhost"});
  EXPECT_TRUE(std::regex_match(time_text(known[0].until), std::regex("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ")));
}

TEST_F(Authority, RefusesBadNamesHostsAndDays) {
  for (const std::string name : {"", "-x", ".hidden", "a/b", "../up", "a b", "a\nb", "Müller", "ca", "crl", "index"}) {
    const auto message = message_of<base::UsageError>([&] { device(name); });
    EXPECT_THAT(message, testing::AnyOf(HasSubstr("a certificate's name"), HasSubstr("is taken"))) << name;
  }
  EXPECT_THAT(message_of<base::UsageError>([&] { device(std::string(65, 'a')); }), HasSubstr("1 to 64"));
  EXPECT_EQ(device(std::string(64, 'a')).name.size(), 64U);
  for (const std::string host : {"", "a..b", "-a", "a-", "300.1.1.1", "a b", "*", "a.*.b", "x,DNS:evil", "fe80::zz"}) {
    EXPECT_THAT(message_of<base::UsageError>([&] { server({host}); }), HasSubstr("--host")) << host;
  }
  EXPECT_THAT(message_of<base::UsageError>([&] { server({}); }), HasSubstr("--host"));
  EXPECT_THAT(message_of<base::UsageError>([&] {
                issue(directory_, {"c", Kind::device, {"localhost"}, 1, false});
              }),
              HasSubstr("--server"));
  for (const std::int64_t days : {0, -1, 36501}) {
    EXPECT_THAT(message_of<base::UsageError>([&] {
                  issue(directory_, {"c", Kind::device, {}, days, false});
                }),
                HasSubstr("--days"));
  }
  EXPECT_THAT(message_of<base::UsageError>([&] { init(scratch_ / "new", {"two\nlines", 1}); }), HasSubstr("--name"));
  EXPECT_FALSE(std::filesystem::exists(scratch_ / "new"));
}

TEST_F(Authority, NamesWhatIsMissingOrDamaged) {
  EXPECT_THAT(message_of([&] { list(scratch_ / "nowhere"); }),
              AllOf(HasSubstr("nowhere: holds no authority"), HasSubstr("pki init")));
  device("camera");
  EXPECT_THAT(message_of([&] { revoke(directory_, "kamera"); }), HasSubstr("did you mean 'camera'"));
  const auto key = base::read_file(directory_ / "ca.key");
  base::write_file(directory_ / "ca.key", base::read_file(directory_ / "camera.key"));
  EXPECT_THAT(message_of([&] { device("other"); }), HasSubstr("ca.key: is not the key of"));
  base::write_file(directory_ / "ca.key", key.substr(0, key.size() / 2));
  EXPECT_THAT(message_of([&] { device("other"); }), HasSubstr("ca.key: is no private key"));
  base::write_file(directory_ / "ca.key", key);
  base::write_file(directory_ / "ca.pem", "nothing");
  EXPECT_THAT(message_of([&] { device("other"); }), HasSubstr("ca.pem: is no certificate"));
  EXPECT_THAT(names(), Not(testing::Contains("other.key")));
  for (const auto& one : list(directory_)) EXPECT_NE(one.name, "other");
}

TEST_F(Authority, RefusesADamagedRegister) {
  device("camera");
  const auto file = directory_ / "index.json";
  const auto good = base::read_json(file);
  const auto refused = [&](const char* pointer, const base::Json& value) {
    auto bad = good;
    bad[base::Json::json_pointer(pointer)] = value;
    base::write_json(file, bad);
    return message_of([&] { device("other"); });
  };
  EXPECT_THAT(refused("/schema", 2), AllOf(HasSubstr("index.json"), HasSubstr("schema 2")));
  EXPECT_THAT(refused("/until", "tomorrow"), HasSubstr("'tomorrow' is no time"));
  EXPECT_THAT(refused("/issued/0/serial", "12"), HasSubstr("'12' is no serial number"));
  EXPECT_THAT(refused("/issued/0/kind", "robot"), HasSubstr("'robot'"));
  EXPECT_THAT(refused("/issued/0", 7), HasSubstr("index.json"));
  base::write_file(file, "{");
  EXPECT_THAT(message_of([&] { device("other"); }), HasSubstr("index.json"));
}

TEST(WithoutOpenSsl, SaysWhatIsMissing) {
  if (available()) GTEST_SKIP() << "built with pki";
  const tests::TemporaryDirectory directory;
  EXPECT_THAT(message_of([&] { init(directory / "pki", {}); }), HasSubstr("component \"pki\""));
}

}  // namespace
}  // namespace infoscissors::pki
