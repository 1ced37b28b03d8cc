#include "infoscissors/serve/core.h"

#include "tests/serve/support.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

namespace infoscissors::serve {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using tests::metric;
using tests::request_of;
using tests::Sent;
using wire::Code;

class CoreTest : public ::testing::Test {
 protected:
  CoreTest() : settings_(tests::quiet_settings(directory_.path())) {
    version_ = tests::write_network(directory_ / "bundle", "2");
  }

  void start() { core_ = std::make_unique<Core>(settings_, tests::fake_networks(control_)); }

  std::string failures(const std::string& reason) {
    return "infoscissors_failures_total{model=\"net\",version=\"" + version_ + "\",reason=\"" + reason + "\"}";
  }
  static std::string early(const std::string& reason) {
    return "infoscissors_failures_total{reason=\"" + reason + "\"}";
  }
  std::string log() { return base::read_file(settings_.log); }

  tests::TemporaryDirectory directory_;
  Settings settings_;
  std::string version_;
  std::shared_ptr<tests::NetworkControl> control_ = std::make_shared<tests::NetworkControl>();
  std::unique_ptr<Core> core_;
};

TEST_F(CoreTest, AnswersWithVersionAndTimes) {
  start();
  auto request = request_of(2, 3);
  request.id = "mine";
  Sent sent(*core_, std::move(request));
  ASSERT_EQ(sent.code(), Code::ok);
  const auto& response = sent.outcome().response;
  EXPECT_EQ(response.model, "net");
  EXPECT_EQ(response.version, version_);
  EXPECT_EQ(response.id, "mine");
  EXPECT_EQ(std::get<std::string>(response.parameters.at("version_id")), version_);
  EXPECT_GE(std::get<std::int64_t>(response.parameters.at("queue_us")), 0);
  EXPECT_GE(std::get<std::int64_t>(response.parameters.at("compute_us")), 0);
  EXPECT_EQ(response.outputs.at(0).shape, (wire::Shape{2, 16}));
  const auto values = sent.values();
  EXPECT_EQ(values.at(0), 6);
  EXPECT_EQ(values.at(16), 8);
}

TEST_F(CoreTest, PinsVersions) {
  start();
  auto pinned = request_of(1);
  pinned.parameters["version_id"] = version_;
  EXPECT_EQ(Sent(*core_, std::move(pinned)).code(), Code::ok);
  auto named = request_of(1);
  named.version = version_;
  EXPECT_EQ(Sent(*core_, std::move(named)).code(), Code::ok);
  auto other = request_of(1);
  other.parameters["version_id"] = std::string("0123456789abcdef");
  Sent refused(*core_, std::move(other));
  EXPECT_EQ(refused.code(), Code::not_found);
  EXPECT_THAT(refused.outcome().message, AllOf(HasSubstr("0123456789abcdef"), HasSubstr(version_)));
  auto both = request_of(1);
  both.version = version_;
  both.parameters["version_id"] = std::string("0123456789abcdef");
  EXPECT_EQ(Sent(*core_, std::move(both)).code(), Code::invalid_argument);
  auto wrong = request_of(1);
  wrong.parameters["version_id"] = std::int64_t{1};
  EXPECT_EQ(Sent(*core_, std::move(wrong)).code(), Code::invalid_argument);
}

TEST_F(CoreTest, UnknownModels) {
  start();
  for (const std::string model : {"", "../net", "other", "NET"}) {
    EXPECT_EQ(Sent(*core_, request_of(1, 1, model)).code(), Code::not_found) << model;
  }
  EXPECT_EQ(metric(*core_, early("unknown_model")), 4);
  EXPECT_EQ(Sent(*core_, request_of(1, 1, std::string("n\0t", 3))).code(), Code::invalid_argument);
}

TEST_F(CoreTest, OverloadIsRefusedAtOnceAndCountedExactly) {
  settings_.queue = 4;
  settings_.max_batch = 1;
  settings_.device_concurrency = 0;
  start();
  control_->close();
  Sent first(*core_, request_of(1));
  control_->wait_until_running();
  std::vector<Sent> sent;
  for (int i = 0; i < 20; ++i) sent.emplace_back(*core_, request_of(1));
  int refused = 0;
  for (int i = 4; i < 20; ++i) {
    ASSERT_TRUE(sent[static_cast<std::size_t>(i)].answered()) << i;  // while the network is still busy
    refused += sent[static_cast<std::size_t>(i)].code() == Code::unavailable;
  }
  EXPECT_EQ(refused, 16);
  EXPECT_EQ(core_->pending(), 5);
  EXPECT_EQ(metric(*core_, failures("queue_full")), 16);
  control_->release();
  for (int i = 0; i < 4; ++i) EXPECT_EQ(sent[static_cast<std::size_t>(i)].code(), Code::ok);
  EXPECT_EQ(first.code(), Code::ok);
  EXPECT_EQ(metric(*core_, "infoscissors_success_total{model=\"net\",version=\"" + version_ + "\"}"), 5);
  EXPECT_EQ(metric(*core_, "infoscissors_pending"), 0);
}

TEST_F(CoreTest, DeadlinesAndCancellation) {
  settings_.max_batch = 1;
  start();
  Sent past(*core_, request_of(1), {}, Clock::now() - std::chrono::seconds(1));
  EXPECT_EQ(past.code(), Code::deadline);
  control_->close();
  Sent first(*core_, request_of(1));
  control_->wait_until_running();
  Sent late(*core_, request_of(1), {}, Clock::now() + std::chrono::milliseconds(2));
  EXPECT_EQ(late.code(), Code::deadline);
  Sent cancelled(*core_, request_of(1));
  cancelled.cancel();
  EXPECT_EQ(cancelled.code(), Code::cancelled);
  first.cancel();  // it runs: no effect
  control_->release();
  EXPECT_EQ(first.code(), Code::ok);
  EXPECT_EQ(metric(*core_, failures("deadline")), 2);
  EXPECT_EQ(metric(*core_, failures("cancelled")), 1);
}

TEST_F(CoreTest, DefaultDeadlineHoldsWhereNoneIsGiven) {
  settings_.deadline_ms = 2;
  start();
  control_->close();
  Sent first(*core_, request_of(1), {}, Clock::now() + std::chrono::hours(1));
  control_->wait_until_running();
  Sent second(*core_, request_of(1));
  EXPECT_EQ(second.code(), Code::deadline);
  control_->release();
  EXPECT_EQ(first.code(), Code::ok);
}

TEST_F(CoreTest, FurthestDeadlineHoldsWhereALongerOneIsGiven) {
  settings_.deadline_ms = settings_.max_deadline_ms = 500;  // within which the first one must have begun
  start();
  control_->close();
  Sent first(*core_, request_of(1));
  control_->wait_until_running();
  Sent second(*core_, request_of(1), {}, Clock::now() + std::chrono::hours(1));
  EXPECT_EQ(second.code(), Code::deadline);
  control_->release();
}

TEST_F(CoreTest, LimitsOfOneDeviceLeaveAnotherAlone) {
  settings_.device_concurrency = 2;
  settings_.max_batch = 1;
  start();
  control_->close();
  const Caller greedy{.device = "greedy", .address = "10.0.0.1:1"}, modest{.device = "modest", .address = "10.0.0.1:2"};
  Sent one(*core_, request_of(1), greedy), two(*core_, request_of(1), greedy), three(*core_, request_of(1), greedy);
  Sent other(*core_, request_of(1), modest);
  EXPECT_EQ(three.code(), Code::limited);
  control_->release();
  EXPECT_EQ(one.code(), Code::ok);
  EXPECT_EQ(two.code(), Code::ok);
  EXPECT_EQ(other.code(), Code::ok);
  EXPECT_EQ(Sent(*core_, request_of(1), greedy).code(), Code::ok) << "what was answered is free again";
  EXPECT_EQ(metric(*core_, early("device_concurrency")), 1);
}

TEST_F(CoreTest, RateLimitCountsEachAddressWhereNobodyHasAName) {
  settings_.device_rate = 0.001;
  settings_.device_burst = 2;
  start();
  const auto ask = [this](const std::string& address) {
    return Sent(*core_, request_of(1), {.device = {}, .address = address}).code();
  };
  EXPECT_EQ(ask("10.0.0.1:1"), Code::ok);
  EXPECT_EQ(ask("10.0.0.1:2"), Code::ok);
  EXPECT_EQ(ask("10.0.0.1:3"), Code::limited) << "a new port is no new device";
  EXPECT_EQ(ask("10.0.0.2:1"), Code::ok);
  EXPECT_EQ(ask("[2001:db8::1]:1"), Code::ok);
  EXPECT_EQ(ask("127.0.0.1:1"), Code::ok);
  EXPECT_EQ(ask("127.0.0.1:2"), Code::ok);
  EXPECT_EQ(ask("127.0.0.1:3"), Code::ok) << "on loopback each connection is a device";
  EXPECT_EQ(metric(*core_, early("device_rate")), 1);
}

TEST_F(CoreTest, MarkedRowsOfTwoDevicesComeBackToThemAlone) {
  settings_.max_batch = 8;
  start();
  control_->close();
  Sent first(*core_, request_of(1));
  control_->wait_until_running();
  Sent mine(*core_, request_of(2, 1000), {.device = "mine", .address = {}});
  Sent yours(*core_, request_of(3, 2000), {.device = "yours", .address = {}});
  control_->release();
  const auto rows = [](std::initializer_list<float> firsts) {
    std::vector<float> values;
    for (const float value : firsts) values.insert(values.end(), 16, 2 * value);
    return values;
  };
  EXPECT_EQ(mine.values(), rows({1000, 1001}));
  EXPECT_EQ(yours.values(), rows({2000, 2001, 2002}));
  EXPECT_THAT(control_->seen(), ElementsAre(1, 5));
}

TEST_F(CoreTest, TensorsAreNeverInLogsMetricsOrMessages) {
  start();
  // 12345678.0 is written 12345678 whichever way somebody prints it.
  const float mark = 12345678;
  Sent good(*core_, request_of(1, mark));
  EXPECT_EQ(good.values().at(0), 2 * mark);
  auto wrong = request_of(1, mark);
  wrong.inputs[0].shape = {1, 4, 8, 9};
  Sent bad(*core_, std::move(wrong));
  const auto poisoned = request_of(1, tests::kPoison);
  Sent failed(*core_, request_of(1, tests::kPoison));
  EXPECT_EQ(failed.code(), Code::internal);
  const auto metrics = core_->metrics();
  const auto messages = bad.outcome().message + failed.outcome().message;
  core_.reset();
  for (const auto& text : {metrics, messages, log()}) {
    EXPECT_THAT(text, Not(HasSubstr("12345678")));
    EXPECT_THAT(text, Not(HasSubstr("24691356")));
    EXPECT_THAT(text, Not(HasSubstr("poison")));
  }
  EXPECT_THAT(log(), AllOf(HasSubstr("\"queue_us\""), HasSubstr("\"rows\":1"), HasSubstr("network_failed")));
}

TEST_F(CoreTest, ClientsCannotForgeLogLines) {
  start();
  auto request = request_of(1, 1, "x\" \\ y");
  request.id = "\"},{\"event\":\"forged\"";
  Sent sent(*core_, std::move(request), {.device = "a\nb\"", .address = "10.0.0.1:1"});
  core_->count_refused({.device = "c\nd", .address = {}}, Code::invalid_argument, "e\nf");
  core_.reset();
  std::istringstream lines(log());
  std::string line;
  int count = 0;
  while (std::getline(lines, line)) {
    const auto document = base::Json::parse(line);
    EXPECT_TRUE(document.contains("time")) << line;
    EXPECT_NE(document.at("event"), "forged");
    ++count;
  }
  EXPECT_EQ(count, 4);  // loaded, two requests, draining
}

TEST_F(CoreTest, DrainRefusesNewRequestsAndFinishesOldOnes) {
  start();
  int changes = 0;
  core_->on_change([&changes] { ++changes; });
  control_->close();
  Sent old(*core_, request_of(1));
  EXPECT_TRUE(core_->ready());
  core_->drain();
  core_->drain();
  EXPECT_EQ(changes, 1);
  EXPECT_FALSE(core_->ready());
  EXPECT_FALSE(core_->model_ready("net", "", {}));
  Sent late(*core_, request_of(1));
  EXPECT_EQ(late.code(), Code::unavailable);
  EXPECT_EQ(metric(*core_, early("draining")), 1);
  control_->release();
  EXPECT_EQ(old.code(), Code::ok);
}

TEST_F(CoreTest, DescribesItself) {
  start();
  const auto metadata = core_->metadata("net", "", {});
  EXPECT_THAT(metadata.versions, ElementsAre(version_));
  EXPECT_EQ(metadata.inputs.at(0).name, "representation");
  EXPECT_EQ(metadata.inputs.at(0).shape, (wire::Shape{-1, 4, 8, 8}));
  EXPECT_EQ(metadata.outputs.at(0).shape, (wire::Shape{-1, 16}));
  EXPECT_TRUE(core_->model_ready("net", version_, {}));
  EXPECT_FALSE(core_->model_ready("net", "1", {}));
  EXPECT_FALSE(core_->model_ready("other", "", {}));
  EXPECT_THROW(core_->metadata("other", "", {}), wire::Error);
  EXPECT_EQ(core_->metadata().name, "infoscissors");
  Sent(*core_, request_of(3)).code();
  const auto statistics = core_->statistics("", "", {}).at(0);
  EXPECT_EQ(statistics.rows, 3U);
  EXPECT_EQ(statistics.batches, 1U);
  EXPECT_EQ(statistics.success.count, 1U);
  EXPECT_GT(statistics.last_inference_ms, 1'700'000'000'000U);
  EXPECT_THROW(core_->statistics("other", "", {}), wire::Error);
}

TEST_F(CoreTest, MessageLimitFollowsTheLargestInput) {
  start();
  EXPECT_EQ(core_->message_limit(), 4 * 64 * tests::kInput * 4);
  settings_.max_rows = 1;
  start();
  EXPECT_EQ(core_->message_limit(), 4 * tests::kInput * 4);
  settings_.max_message_bytes = 1000;
  start();
  EXPECT_EQ(core_->message_limit(), 1000);
}

TEST_F(CoreTest, ManagementIsOffAndThenForAdministratorsAlone) {
  start();
  const Caller administrator{.device = "ops", .address = {}}, device{.device = "camera", .address = {}};
  const auto code = [this](const Caller& caller) {
    try {
      core_->unload("net", caller);
      return Code::ok;
    } catch (const wire::Error& error) {
      return error.code();
    }
  };
  EXPECT_EQ(code(administrator), Code::unsupported);
  settings_.management = true;
  settings_.administrators = {"ops"};
  settings_.tls_cert = settings_.tls_key = settings_.client_ca = "unused-by-the-core";
  start();
  EXPECT_EQ(code(device), Code::permission_denied);
  EXPECT_EQ(code({}), Code::unauthenticated);
  EXPECT_EQ(Sent(*core_, request_of(1), device).code(), Code::ok);
  EXPECT_EQ(code(administrator), Code::ok);
  EXPECT_FALSE(core_->ready());
  EXPECT_EQ(Sent(*core_, request_of(1), device).code(), Code::unavailable);
  EXPECT_EQ(core_->index(administrator).at(0).state, "UNAVAILABLE");
  core_->reload();
  EXPECT_FALSE(core_->ready()) << "an unloaded model stays unloaded";
  core_->load("net", administrator);
  EXPECT_TRUE(core_->ready());
  EXPECT_EQ(Sent(*core_, request_of(1), device).code(), Code::ok);
  EXPECT_THROW(core_->load("other", administrator), wire::Error);
}

TEST_F(CoreTest, AccessListDecidesAndIsReadAgain) {
  const auto access = directory_ / "access.toml";
  base::write_file(access, "[models.net]\ndevices = ['camera-1']\n");
  settings_.access = access.string();
  settings_.tls_cert = settings_.tls_key = settings_.client_ca = "unused-by-the-core";
  start();
  const Caller one{.device = "camera-1", .address = {}}, two{.device = "camera-2", .address = {}};
  EXPECT_EQ(Sent(*core_, request_of(1), one).code(), Code::ok);
  EXPECT_EQ(Sent(*core_, request_of(1), two).code(), Code::permission_denied);
  EXPECT_EQ(Sent(*core_, request_of(1), {}).code(), Code::unauthenticated);
  // Whether a model exists is nobody's business who may not use it.
  EXPECT_EQ(Sent(*core_, request_of(1, 1, "other"), one).code(), Code::permission_denied);
  EXPECT_THROW(core_->metadata("net", "", two), wire::Error);
  EXPECT_THROW(core_->model_ready("net", "", two), wire::Error);
  EXPECT_THROW(core_->statistics("net", "", two), wire::Error);
  EXPECT_TRUE(core_->statistics("", "", two).empty());
  EXPECT_TRUE(core_->index(two).empty());
  EXPECT_EQ(core_->index(one).size(), 1U);
  base::write_file(access, "[models.net]\ndevices = ['camera-2']\n");
  core_->reload();
  EXPECT_EQ(Sent(*core_, request_of(1), one).code(), Code::permission_denied);
  EXPECT_EQ(Sent(*core_, request_of(1), two).code(), Code::ok);
  base::write_file(access, "[models.net");
  core_->reload();
  EXPECT_EQ(Sent(*core_, request_of(1), two).code(), Code::ok) << "a list that cannot be read leaves the old one";
}

}  // namespace
}  // namespace infoscissors::serve
