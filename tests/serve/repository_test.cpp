#include "infoscissors/serve/repository.h"
#include "infoscissors/serve/core.h"

#include "tests/serve/support.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

namespace infoscissors::serve {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using tests::message_of;
using tests::metric;
using tests::request_of;
using tests::Sent;
using tests::write_network;
using wire::Code;

class ReloadTest : public ::testing::Test {
 protected:
  ReloadTest() : settings_(tests::quiet_settings(directory_.path())) { first_ = write_network(bundle(), "1"); }

  std::filesystem::path bundle() const { return directory_ / "bundle"; }
  void start() { core_ = std::make_unique<Core>(settings_, tests::fake_networks(control_)); }
  float factor(const std::string& pin = {}) {
    auto request = request_of(1, 1);
    if (!pin.empty()) request.parameters["version_id"] = pin;
    Sent sent(*core_, std::move(request));
    if (sent.code() != Code::ok) return -1;
    return sent.values().at(0);
  }

  tests::TemporaryDirectory directory_;
  Settings settings_;
  std::string first_;
  std::shared_ptr<tests::NetworkControl> control_ = std::make_shared<tests::NetworkControl>();
  std::unique_ptr<Core> core_;
};

TEST_F(ReloadTest, NewVersionTakesOverAndTheOldOneStaysForItsDevices) {
  start();
  EXPECT_EQ(factor(), 1);
  const auto second = write_network(bundle(), "2");
  EXPECT_EQ(factor(), 1) << "nothing happens before the files are looked at";
  core_->reload();
  EXPECT_EQ(factor(), 2);
  EXPECT_EQ(factor(first_), 1);
  EXPECT_EQ(factor(second), 2);
  EXPECT_THAT(core_->metadata("net", "", {}).versions, ElementsAre(second, first_));
  const auto third = write_network(bundle(), "3");
  core_->reload();
  EXPECT_EQ(factor(), 3);
  EXPECT_EQ(factor(second), 2);
  EXPECT_EQ(factor(first_), -1) << "two are kept";
  EXPECT_EQ(core_->metrics().find("infoscissors_reloads_total 3") == std::string::npos, false);
  core_->reload();
  EXPECT_EQ(control_->alive, 2) << "the first one's network is gone";
}

TEST_F(ReloadTest, GoingBackToAnOldVersionWorks) {
  start();
  write_network(bundle(), "2");
  core_->reload();
  write_network(bundle(), "1");
  core_->reload();
  EXPECT_EQ(factor(), 1);
  EXPECT_EQ(core_->metadata("net", "", {}).versions.front(), first_);
}

TEST_F(ReloadTest, ABadVersionLeavesTheOldOne) {
  start();
  const auto failed = [this] { return metric(*core_, "infoscissors_failed_reloads_total"); };
  write_network(bundle(), "broken");
  core_->reload();
  EXPECT_EQ(factor(), 1);
  EXPECT_EQ(failed(), 1);
  core_->reload();
  EXPECT_EQ(failed(), 1) << "not tried again before something changes";
  base::write_file(bundle() / "server" / "encoder.pt", "7");  // not what the manifest says
  core_->reload();
  EXPECT_EQ(factor(), 1);
  base::write_file(bundle() / "server" / "manifest.json", "{");
  core_->reload();
  EXPECT_EQ(factor(), 1);
  std::filesystem::remove_all(bundle() / "server");
  core_->reload();
  EXPECT_EQ(factor(), 1);
  EXPECT_TRUE(core_->ready());
  EXPECT_EQ(failed(), 4);
  write_network(bundle(), "5");
  core_->reload();
  EXPECT_EQ(factor(), 5);
}

TEST_F(ReloadTest, ANetworkThatCannotRunIsRefused) {
  struct Failing : Executor {
    std::vector<float> place = std::vector<float>(4096);
    float* input(std::int64_t) override { return place.data(); }
    Output run(std::int64_t) override { throw base::Error("cannot run"); }
  };
  EXPECT_THAT(
      message_of([&] { Core broken(settings_, [](const auto&, const auto&) { return std::make_unique<Failing>(); }); }),
      ::testing::AllOf(HasSubstr("bundle"), HasSubstr("cannot run")));
}

TEST_F(ReloadTest, StartFailsWithABundleThatCannotBeServed) {
  const auto refused = [this] { return message_of([this] { start(); }); };
  write_network(bundle(), "broken");
  EXPECT_THAT(refused(), HasSubstr("encoder.pt is no network"));
  settings_.bundle = {(bundle() / "device").string()};
  EXPECT_THAT(refused(), HasSubstr("device"));
  settings_.bundle = {(directory_ / "nowhere").string()};
  EXPECT_THAT(refused(), HasSubstr("nowhere"));
}

TEST_F(ReloadTest, AnInputTooLargeForTheMessagesIsRefused) {
  start();
  auto halves = tests::sample_halves("2");
  for (auto* half : {&halves.device, &halves.server}) half->inputs = {{"representation", "FP32", {-1, 4, 80, 80}}};
  halves.device.version = halves.server.version = bundle::version_of(halves.device, halves.server);
  tests::write_halves(bundle(), halves, "2");
  core_->reload();
  EXPECT_EQ(factor(), 1);
  EXPECT_EQ(metric(*core_, "infoscissors_failed_reloads_total"), 1);
}

TEST_F(ReloadTest, SeveralModelsAndVersionsAtOnce) {
  const auto other = write_network(directory_ / "other", "10", "other");
  const auto second = write_network(directory_ / "second", "2");
  settings_.bundle.push_back((directory_ / "other" / "server").string());
  settings_.bundle.push_back((directory_ / "second" / "server").string());
  start();
  EXPECT_EQ(factor(), 2) << "the last one named is preferred";
  EXPECT_EQ(factor(first_), 1);
  EXPECT_EQ(factor(second), 2);
  EXPECT_EQ(factor(other), -1) << "that is another model's version";
  Sent sent(*core_, request_of(1, 1, "other"));
  EXPECT_EQ(sent.values().at(0), 10);
  EXPECT_EQ(core_->index({}).size(), 3U);
  write_network(directory_ / "other", "11", "other");
  core_->reload();
  EXPECT_EQ(Sent(*core_, request_of(1, 1, "other")).values().at(0), 11);
  EXPECT_EQ(factor(), 2);
}

TEST_F(ReloadTest, RequestsUnderWayEndOnTheirVersion) {
  settings_.keep_versions = 1;
  settings_.max_batch = 1;
  start();
  control_->close();
  Sent running(*core_, request_of(1, 1));
  control_->wait_until_running();
  Sent waiting(*core_, request_of(1, 1));
  write_network(bundle(), "2");
  core_->reload();  // the warm-up does not wait for the gate
  control_->release();
  EXPECT_EQ(running.values().at(0), 1);
  EXPECT_EQ(waiting.values().at(0), 1);
  EXPECT_EQ(waiting.outcome().response.version, first_);
  EXPECT_EQ(factor(), 2);
}

TEST_F(ReloadTest, UnderLoadNothingFailsAndNothingIsMixed) {
  settings_.reload_seconds = 0.002;
  settings_.device_rate = 0;
  start();
  std::atomic<bool> over{false};
  std::atomic<int> failed{0}, mixed{0}, done{0};
  std::mutex mutex;
  std::map<std::string, float> factors{{first_, 1.0F}};
  std::vector<std::thread> clients;
  for (int c = 0; c < 2; ++c) {
    clients.emplace_back([&] {
      while (!over) {
        Sent sent(*core_, request_of(2, 1));
        if (sent.code() != Code::ok) {
          ++failed;
          continue;
        }
        const auto values = sent.values();
        const std::lock_guard lock(mutex);
        const auto factor = factors.find(sent.outcome().response.version);
        mixed += factor == factors.end() || values.at(0) != factor->second || values.at(16) != 2 * factor->second;
        ++done;
      }
    });
  }
  for (int version = 2; version < 12; ++version) {
    const std::string text = std::to_string(version);
    {
      const std::lock_guard lock(mutex);
      // Known before it is served, or a client could be faster than this thread.
      auto halves = tests::sample_halves(text);
      factors[halves.server.version] = static_cast<float>(version);
    }
    write_network(bundle(), text);
    while (factor() != static_cast<float>(version)) std::this_thread::yield();
  }
  over = true;
  for (auto& client : clients) client.join();
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(mixed, 0);
  EXPECT_GT(done, 10);
}

}  // namespace
}  // namespace infoscissors::serve
