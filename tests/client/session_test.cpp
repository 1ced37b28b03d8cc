#include "infoscissors/client/session.h"

#include "tests/client/fake.h"
#include "tests/support/expect_error.h"

#include <gtest/gtest.h>

#include <limits>
#include <set>

namespace infoscissors::client {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using wire::Code;
using wire::DataType;
using namespace std::chrono_literals;

const wire::Signature kSmallSignature{{"representation", DataType::fp32, {-1, 2, 2}},
                                      {"feature", DataType::fp32, {-1, 3}}};

std::vector<wire::Tensor> two_rows() {
  std::vector<wire::Tensor> inputs;
  inputs.emplace_back("representation", DataType::fp32, wire::Shape{2, 2, 2}, std::string_view());
  inputs[0].own(std::vector<char>(32, '\1'));
  return inputs;
}

class SessionTest : public ::testing::Test {
 protected:
  SessionTest() { options.model = "net", options.version_id = "0123456789abcdef", options.signature = kSmallSignature; }

  std::unique_ptr<Session> session() {
    auto made = std::make_unique<Session>(transport, options);
    made->set_wait([this](std::chrono::microseconds interval, const std::stop_token& stop) {
      pauses.push_back(interval);
      return !stop.stop_requested();
    });
    return made;
  }

  Answer infer() { return session()->infer(two_rows(), 2); }

  /// How the call ends.
  Code code_of_failure(std::string* message = nullptr) {
    try {
      infer();
    } catch (const wire::Error& error) {
      if (message) *message = error.what();
      return error.code();
    }
    ADD_FAILURE() << "the answer was taken";
    return Code::ok;
  }

  void expect_refused(std::function<void(wire::Response&)> change, const char* part) {
    transport->then_change(std::move(change));
    std::string message;
    EXPECT_EQ(code_of_failure(&message), Code::internal);
    EXPECT_THAT(message, AllOf(HasSubstr("the script"), HasSubstr(part)));
    EXPECT_TRUE(pauses.empty()) << "an answer that is not believed is not asked for again";
  }

  std::shared_ptr<tests::ScriptedTransport> transport = std::make_shared<tests::ScriptedTransport>(kSmallSignature);
  SessionOptions options;
  std::vector<std::chrono::microseconds> pauses;
};

TEST_F(SessionTest, BringsTheFeatures) {
  const auto answer = infer();
  EXPECT_EQ(answer.features, (std::vector<float>{0, 1 / 16.F, 2 / 16.F, 0, 1 / 16.F, 2 / 16.F}));
  EXPECT_EQ(answer.attempts, 1);
  EXPECT_EQ(answer.bytes_sent, 32U);
  EXPECT_EQ(answer.bytes_received, 24U);
  EXPECT_EQ(answer.queue_us, 0);
  EXPECT_EQ(transport->versions, std::vector<std::string>{"0123456789abcdef"});
}

TEST_F(SessionTest, EveryCallHasAnIdOfItsOwn) {
  const auto one = session();
  for (int i = 0; i < 3; ++i) one->infer(two_rows(), 2);
  session()->infer(two_rows(), 2);
  EXPECT_EQ(std::set<std::string>(transport->ids.begin(), transport->ids.end()).size(), 4U);
}

TEST_F(SessionTest, RefusesAnotherVersion) {
  const std::string key(wire::kVersionId);
  expect_refused([&](auto& r) { r.parameters.insert_or_assign(key, std::string("fedcba9876543210")); },
                 "fedcba9876543210 answered instead of 0123456789abcdef");
  expect_refused([&](auto& r) { r.parameters.erase(key); }, "does not say which version");
  expect_refused([&](auto& r) { r.parameters.insert_or_assign(key, std::int64_t{7}); }, "does not say which version");
}

TEST_F(SessionTest, AsksNoVersionOfAForeignServer) {
  options.version_id.clear();
  transport->then_change([](auto& r) { r.parameters.clear(); });
  const auto answer = infer();
  EXPECT_EQ(transport->versions, std::vector<std::string>{""});
  EXPECT_EQ(answer.queue_us, std::nullopt);
}

TEST_F(SessionTest, BelievesNothing) {
  expect_refused([](auto& r) { r.id = "another"; }, "another request");
  expect_refused([](auto& r) { r.outputs.clear(); }, "0 outputs");
  expect_refused([](auto& r) { r.outputs[0].name = "logits"; }, "'feature' was expected");
  expect_refused([](auto& r) { r.outputs[0].datatype = DataType::fp64; }, "FP64");
  expect_refused([](auto& r) { r.outputs[0].shape = {1, 3}; }, "[1,3]");
  expect_refused([](auto& r) { r.outputs[0].shape = {2, 1000000000000}; }, "FP32 of [2,3] was expected");
  expect_refused([](auto& r) { r.outputs[0].shape = {2, -3}; }, "[2,-3]");
  expect_refused([](auto& r) { r.outputs[0].shape = {2, 3, 1}; }, "[2,3,1]");
  expect_refused([](auto& r) { r.outputs[0].data = r.outputs[0].data.substr(4); }, "20 bytes");
  expect_refused(
      [](auto& r) {
        r.outputs.emplace_back("feature", DataType::fp32, wire::Shape{2, 3}, "x");
      },
      "2 outputs");
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    expect_refused([=](auto& r) { std::memcpy(r.outputs[0].storage.data() + 8, &bad, 4); }, "not finite");
  }
}

TEST_F(SessionTest, IgnoresTimesThatCannotBe) {
  for (const auto& claim :
       std::vector<wire::Parameter>{std::int64_t{-1}, std::int64_t{1} << 62, 0.5, std::string("1")}) {
    transport->then_change([&](auto& r) { r.parameters.insert_or_assign(std::string(wire::kQueueMicros), claim); });
    const auto answer = infer();
    EXPECT_EQ(answer.queue_us, std::nullopt);
    EXPECT_EQ(answer.compute_us, 0);
  }
}

TEST_F(SessionTest, TriesAgainWhatIsUnavailable) {
  transport->then_fail(Code::unavailable);
  transport->then_fail(Code::unavailable);
  const auto answer = infer();
  EXPECT_EQ(answer.attempts, 3);
  EXPECT_EQ(pauses.size(), 2U);
  EXPECT_EQ(transport->sent[0], transport->sent[2]) << "a second draw of the noise would tell more";
  EXPECT_EQ(transport->deadlines[0], transport->deadlines[2]) << "the deadline is of the whole call";
}

TEST_F(SessionTest, GivesUpAfterTheLastAttempt) {
  for (int i = 0; i < 9; ++i) transport->then_fail(Code::unavailable, "connection refused");
  std::string message;
  EXPECT_EQ(code_of_failure(&message), Code::unavailable);
  EXPECT_THAT(message, HasSubstr("connection refused (attempt 4)"));
  EXPECT_EQ(transport->ids.size(), 4U);
}

TEST_F(SessionTest, TriesNothingElseAgain) {
  for (const auto code : {Code::invalid_argument, Code::not_found, Code::too_large, Code::limited, Code::unsupported,
                          Code::internal, Code::unauthenticated, Code::permission_denied, Code::deadline}) {
    transport->then_fail(code);
    EXPECT_EQ(code_of_failure(), code);
  }
  EXPECT_TRUE(pauses.empty());
}

TEST_F(SessionTest, DoesNotPausePastItsDeadline) {
  options.deadline = 40ms;
  options.retry = {.attempts = 1000, .first = 10s, .longest = 10s};
  // Of 20 pauses uniform in 10 s one is below 40 ms with a probability of 0.08; a loop needs many to go on.
  for (int i = 0; i < 1000; ++i) transport->then_fail(Code::unavailable, "connection refused");
  std::string message;
  EXPECT_EQ(code_of_failure(&message), Code::deadline);
  EXPECT_THAT(message, AllOf(HasSubstr("no answer within 40 ms"), HasSubstr("connection refused")));
  EXPECT_LT(transport->ids.size(), 20U);
}

TEST_F(SessionTest, Stops) {
  std::stop_source source;
  source.request_stop();
  const auto stopped = session();
  try {
    stopped->infer(two_rows(), 2, source.get_token());
    FAIL();
  } catch (const wire::Error& error) {
    EXPECT_EQ(error.code(), Code::cancelled);
  }
  EXPECT_TRUE(transport->ids.empty());

  std::stop_source later;
  transport->then([&](const wire::Request&) -> Reply {
    later.request_stop();
    throw wire::Error(Code::unavailable, "gone");
  });
  try {
    stopped->infer(two_rows(), 2, later.get_token());
    FAIL();
  } catch (const wire::Error& error) {
    EXPECT_EQ(error.code(), Code::cancelled);
  }
}

TEST(Backoff, IsFullJitterThatDoublesUpToALimit) {
  const RetryOptions options{.attempts = 9, .first = 100ms, .longest = 400ms};
  std::vector<double> sums(6, 0), highest(6, 0);
  constexpr int kDevices = 400;
  for (int device = 0; device < kDevices; ++device) {
    Backoff backoff(options, static_cast<std::uint64_t>(device));
    for (std::size_t i = 0; i < sums.size(); ++i) {
      const auto ms = static_cast<double>(backoff.next().count()) / 1000;
      sums[i] += ms / kDevices;
      highest[i] = std::max(highest[i], ms);
    }
  }
  const double limits[] = {100, 200, 400, 400, 400, 400};
  for (std::size_t i = 0; i < sums.size(); ++i) {
    EXPECT_LE(highest[i], limits[i]);
    EXPECT_NEAR(sums[i], limits[i] / 2, limits[i] / 15) << "uniform from 0";
  }
}

TEST(Pause, EndsWithAStop) {
  std::stop_source source;
  source.request_stop();
  EXPECT_FALSE(pause(1h, source.get_token()));
  EXPECT_TRUE(pause(1ms, {}));
}

TEST(ForeignSignature, TakesNamesAndRefusesOtherShapes) {
  const ModelMetadata theirs{{{"input__0", DataType::fp32, {-1, 2, -1}}}, {{"output__0", DataType::fp32, {-1, 3}}}};
  const auto signature = foreign_signature(theirs, kSmallSignature);
  EXPECT_EQ(signature.input.name, "input__0");
  EXPECT_EQ(signature.output.name, "output__0");
  EXPECT_EQ(signature.input.shape, kSmallSignature.input.shape);
  const auto refused = [&](const ModelMetadata& other) {
    return tests::message_of<wire::Error>([&] { foreign_signature(other, kSmallSignature); });
  };
  EXPECT_THAT(refused({{{"x", DataType::fp32, {-1, 2, 3}}}, theirs.outputs}), HasSubstr("[-1,2,3]"));
  EXPECT_THAT(refused({{{"x", DataType::fp16, {-1, 2, 2}}}, theirs.outputs}), HasSubstr("FP16"));
  EXPECT_THAT(refused({theirs.inputs, {}}), HasSubstr("none instead of"));
}

}  // namespace
}  // namespace infoscissors::client
