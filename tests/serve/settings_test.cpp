#include "infoscissors/serve/settings.h"

#include "infoscissors/base/error.h"
#include "infoscissors/base/file.h"
#include "infoscissors/serve/access.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

namespace infoscissors::serve {
namespace {

using base::UsageError;
using ::testing::AllOf;
using ::testing::HasSubstr;
using tests::message_of;

std::string refusal(const std::function<void(Settings&)>& change) {
  Settings settings;
  settings.bundle = {"bundle/server"};
  change(settings);
  return message_of<UsageError>([&] { validate(settings); });
}

Settings with_tls() {
  Settings settings;
  settings.bundle = {"bundle/server"};
  settings.tls_cert = settings.tls_key = settings.client_ca = "x.pem";
  return settings;
}

TEST(Settings, DefaultsAreSafe) {
  const Settings settings;
  EXPECT_TRUE(parse_address(settings.grpc, "grpc").loopback());
  EXPECT_TRUE(parse_address(settings.rest, "rest").loopback());
  EXPECT_FALSE(settings.management);
  EXPECT_FALSE(settings.insecure);
  EXPECT_GT(settings.device_rate, 0);
  EXPECT_GT(settings.device_concurrency, 0);
  EXPECT_EQ(settings.non_finite, "refuse");
  EXPECT_TRUE(settings.cors_origin.empty());
}

TEST(Settings, PlaintextStaysOnLoopback) {
  EXPECT_THAT(refusal([](Settings& s) { s.grpc = "0.0.0.0:8001"; }),
              AllOf(HasSubstr("grpc"), HasSubstr("without TLS")));
  EXPECT_THAT(refusal([](Settings& s) { s.rest = "[::]:8000"; }), AllOf(HasSubstr("rest"), HasSubstr("without TLS")));
  EXPECT_THAT(refusal([](Settings& s) { s.grpc = "10.0.0.1:1"; }), HasSubstr("without TLS"));
  auto settings = with_tls();
  settings.grpc = "0.0.0.0:8001";
  validate(settings);
  settings = {};
  settings.bundle = {"b"};
  settings.grpc = "0.0.0.0:8001";
  settings.insecure = true;
  validate(settings);
}

TEST(Settings, RefusesWhatDoesNotGoTogether) {
  EXPECT_THAT(refusal([](Settings& s) { s.bundle.clear(); }), HasSubstr("bundle"));
  EXPECT_THAT(refusal([](Settings& s) { s.grpc = s.rest = ""; }), HasSubstr("nothing would be served"));
  EXPECT_THAT(refusal([](Settings& s) { s.tls_cert = "a"; }), HasSubstr("tls_key"));
  EXPECT_THAT(refusal([](Settings& s) { s.tls_key = "a"; }), HasSubstr("tls_cert"));
  EXPECT_THAT(refusal([](Settings& s) { s.client_ca = "a"; }), HasSubstr("tls_cert"));
  EXPECT_THAT(refusal([](Settings& s) { s.tls_cert = s.tls_key = "a"; }), HasSubstr("client_ca"));
  EXPECT_THAT(refusal([](Settings& s) { s.crl = "a"; }), HasSubstr("crl"));
  EXPECT_THAT(refusal([](Settings& s) { s.access = "a"; }), HasSubstr("access"));
  EXPECT_THAT(refusal([](Settings& s) { s.management = true; }), HasSubstr("management"));
  EXPECT_THAT(refusal([](Settings& s) { s.max_rows = 65; }), HasSubstr("max_rows"));
  EXPECT_THAT(refusal([](Settings& s) { s.deadline_ms = 60001; }), HasSubstr("deadline_ms"));
  auto settings = with_tls();
  settings.management = true;
  EXPECT_THAT(message_of<UsageError>([&] { validate(settings); }), HasSubstr("administrators"));
}

TEST(Settings, Addresses) {
  EXPECT_EQ(parse_address("127.0.0.1:8001", "grpc").port, 8001);
  EXPECT_EQ(parse_address("[::1]:0", "grpc").host, "::1");
  EXPECT_TRUE(parse_address("localhost:1", "grpc").loopback());
  EXPECT_FALSE(parse_address("192.168.0.1:1", "grpc").loopback());
  for (const auto* wrong : {"", "8001", ":8001", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536",
                            "127.0.0.1:-1", "::1:8001", "[::1:8001", "example.org:1", "127.evil:1", "127.0.0.1:80 "}) {
    EXPECT_THAT(message_of<UsageError>([&] { parse_address(wrong, "grpc"); }), HasSubstr("grpc")) << wrong;
  }
}

/// The lines of docs/server.md's last table.
std::string table_of_settings() {
  Settings defaults;
  std::string table;
  for (const auto& field : base::describe(defaults.fields())) {
    const auto value = field["default"].dump();
    std::string text = value == "\"\"" || value == "[]" ? "" : "`" + value + "`";
    table += fmt::format("| `{}` | {} | {} | {} |\n", field["name"].get<std::string>(), text,
                         field["range"].get<std::string>(), field["help"].get<std::string>());
  }
  return table;
}

TEST(Settings, TheManualListsExactlyThese) {
  const auto tests = std::filesystem::path(INFOSCISSORS_TEST_DATA).parent_path().parent_path();
  const auto manual = base::read_file(tests.parent_path() / "docs" / "server.md");
  const auto table = table_of_settings();
  EXPECT_TRUE(manual.ends_with("|---|---|---|---|\n" + table)) << "docs/server.md must end with\n" << table;
}

class SettingsFile : public ::testing::Test {
 protected:
  Settings load(const std::string& text) {
    base::write_file(directory_ / "server.toml", text);
    return load_settings(directory_ / "server.toml");
  }
  std::string problem(const std::string& text) {
    return message_of<UsageError>([&] { load(text); });
  }
  tests::TemporaryDirectory directory_;
};

TEST_F(SettingsFile, EveryPrintedSettingIsReadBack) {
  Settings settings;
  settings.bundle = {"/a", "/b"};
  settings.max_batch = 7;
  settings.device_rate = 0.5;
  settings.log_requests = false;
  settings.non_finite = "accept";
  settings.tls_key = "/k \"quoted\" \\";
  const auto document = base::to_json(settings.fields());
  auto loaded = load(base::to_toml(document));
  EXPECT_EQ(base::to_json(loaded.fields()), document);
}

TEST_F(SettingsFile, PathsAreRelativeToTheFile) {
  const auto settings = load("bundle = ['b/server', '/c']\ntls_key = 'k.pem'\nlog = 'server.log'\n");
  EXPECT_EQ(settings.bundle.at(0), (directory_ / "b/server").string());
  EXPECT_EQ(settings.bundle.at(1), "/c");
  EXPECT_EQ(settings.tls_key, (directory_ / "k.pem").string());
  EXPECT_EQ(settings.log, (directory_ / "server.log").string());
  EXPECT_EQ(load("log = 'stderr'").log, "stderr");
}

TEST_F(SettingsFile, ErrorsNameFileAndKey) {
  EXPECT_THAT(problem("max_bach = 3"), AllOf(HasSubstr("server.toml"), HasSubstr("'max_batch'")));
  EXPECT_THAT(problem("max_batch = 0"), AllOf(HasSubstr("server.toml"), HasSubstr("max_batch")));
  EXPECT_THAT(problem("max_batch = 'x'"), HasSubstr("max_batch"));
  EXPECT_THAT(problem("queue = -1"), HasSubstr("queue"));
  EXPECT_THAT(problem("device_rate = nan"), HasSubstr("device_rate"));
  EXPECT_THAT(problem("non_finite = 'maybe'"), HasSubstr("non_finite"));
  EXPECT_THAT(problem("bundle = 3"), HasSubstr("bundle"));
  EXPECT_THAT(problem("bundle = [3]"), HasSubstr("bundle"));
  EXPECT_THAT(problem("bundle = ["), HasSubstr("server.toml"));
  EXPECT_THAT(message_of([&] { load_settings(directory_ / "none.toml"); }), HasSubstr("none.toml"));
}

class AccessFile : public SettingsFile {
 protected:
  AccessList list(const std::string& text) {
    base::write_file(directory_ / "access.toml", text);
    return AccessList::load(directory_ / "access.toml");
  }
  std::string refused(const std::string& text) {
    return message_of<UsageError>([&] { list(text); });
  }
};

TEST_F(AccessFile, GrantsByNameAndPrefix) {
  const auto access = list("[models.net]\ndevices = ['camera-1', 'door-*']\n[models.other]\ndevices = ['*']\n");
  EXPECT_TRUE(access.may_use("camera-1", "net"));
  EXPECT_TRUE(access.may_use("door-", "net"));
  EXPECT_TRUE(access.may_use("door-17", "net"));
  EXPECT_FALSE(access.may_use("camera-11", "net"));
  EXPECT_FALSE(access.may_use("Camera-1", "net"));
  EXPECT_FALSE(access.may_use("door", "net"));
  EXPECT_FALSE(access.may_use("", "other"));
  EXPECT_TRUE(access.may_use("anybody", "other"));
  EXPECT_FALSE(access.may_use("camera-1", "unlisted"));
}

TEST_F(AccessFile, RefusesWhatItDoesNotUnderstand) {
  EXPECT_THAT(refused(""), HasSubstr("[models.NAME]"));
  EXPECT_THAT(refused("[model.net]\ndevices = []"), HasSubstr("'models'"));
  EXPECT_THAT(refused("models = 3"), HasSubstr("table"));
  EXPECT_THAT(refused("[models.net]\ndevice = []"), AllOf(HasSubstr("net"), HasSubstr("'devices'")));
  EXPECT_THAT(refused("[models.net]\ndevices = 'a'"), HasSubstr("list"));
  EXPECT_THAT(refused("[models.net]\ndevices = [1]"), HasSubstr("list"));
  EXPECT_THAT(refused("[models.net]\ndevices = ['']"), HasSubstr("list"));
  EXPECT_THAT(refused("[models.net]\n"), HasSubstr("devices"));
  EXPECT_THAT(refused("[models"), HasSubstr("access.toml"));
}

}  // namespace
}  // namespace infoscissors::serve
