#include "infoscissors/serve/batcher.h"

#include "tests/serve/support.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace infoscissors::serve {
namespace {

using ::testing::ElementsAre;
using tests::FakeNetwork;
using tests::NetworkControl;
using wire::Code;

const wire::Signature kSignature{{"representation", wire::DataType::fp32, {-1, 4, 8, 8}},
                                 {"feature", wire::DataType::fp32, {-1, 16}}};

class BatcherTest : public ::testing::Test {
 protected:
  void start(Batcher::Options options) {
    auto network = std::make_unique<FakeNetwork>(control_, 2.0F);
    for (int i = 0; i < 3; ++i) network->input(1), network->run(1);
    batcher_ = std::make_unique<Batcher>(std::move(network), kSignature, options,
                                         [this](const BatchRecord& record) { errors_ += !record.error.empty(); });
  }

  struct Waiting {
    std::future<JobResult> result;
    bool accepted = false;
    JobResult get() { return result.get(); }
  };

  Waiting push(std::int64_t rows, float first, Clock::time_point deadline = Clock::now() + std::chrono::hours(1)) {
    auto promise = std::make_shared<std::promise<JobResult>>();
    Waiting waiting{.result = promise->get_future()};
    Job job;
    job.id = ++last_;
    job.request = tests::request_of(rows, first);
    job.rows = wire::check(job.request, kSignature, {});
    job.arrived = Clock::now();
    job.deadline = deadline;
    job.done = [promise](JobResult result) { promise->set_value(std::move(result)); };
    waiting.accepted = batcher_->push(job);
    if (!waiting.accepted) {
      EXPECT_TRUE(job.done);  // still the caller's to answer
    }
    return waiting;
  }

  /// Occupies the network, so that what follows waits.
  Waiting occupy() {
    control_->close();
    auto first = push(1, 100);
    control_->wait_until_running();
    return first;
  }

  static void expect_rows(const JobResult& result, std::int64_t rows, float first) {
    ASSERT_EQ(result.code, Code::ok) << result.message;
    const auto values = tests::floats_of(result.output);
    ASSERT_EQ(values.size(), static_cast<std::size_t>(rows * 16));
    for (std::int64_t row = 0; row < rows; ++row) {
      for (int k = 0; k < 16; ++k)
        EXPECT_EQ(values[static_cast<std::size_t>(row * 16 + k)], 2 * (first + static_cast<float>(row)));
    }
  }

  std::shared_ptr<NetworkControl> control_ = std::make_shared<NetworkControl>();
  std::atomic<int> errors_{0};
  std::uint64_t last_ = 0;
  std::unique_ptr<Batcher> batcher_;
};

TEST_F(BatcherTest, EachRequestGetsExactlyItsRows) {
  start({.max_batch = 8});
  auto first = occupy();
  auto one = push(1, 1), three = push(3, 10), two = push(2, 20);
  control_->release();
  expect_rows(first.get(), 1, 100);
  expect_rows(one.get(), 1, 1);
  expect_rows(three.get(), 3, 10);
  expect_rows(two.get(), 2, 20);
  EXPECT_THAT(control_->seen(), ElementsAre(1, 6));
}

TEST_F(BatcherTest, BatchesEndAtTheirLargestSizeInOrderOfArrival) {
  start({.max_batch = 4});
  auto first = occupy();
  std::vector<Waiting> waiting;
  for (const int rows : {3, 2, 2, 1, 4}) waiting.push_back(push(rows, 1));
  control_->release();
  for (auto& one : waiting) EXPECT_EQ(one.get().code, Code::ok);
  EXPECT_THAT(control_->seen(), ElementsAre(1, 3, 4, 1, 4));
}

TEST_F(BatcherTest, ARequestAloneRunsAtOnceEvenWithADelayThatIsOver) {
  start({.max_batch = 4, .delay = std::chrono::microseconds(1)});
  expect_rows(push(2, 5).get(), 2, 5);
}

TEST_F(BatcherTest, DelayEndsWhenTheBatchIsFull) {
  // An hour of patience: only a full batch can end it within this test.
  start({.max_batch = 4, .delay = std::chrono::hours(1)});
  auto one = push(1, 1), two = push(2, 2), three = push(1, 3);
  expect_rows(one.get(), 1, 1);
  expect_rows(two.get(), 2, 2);
  expect_rows(three.get(), 1, 3);
  EXPECT_THAT(control_->seen(), ElementsAre(4));
}

TEST_F(BatcherTest, FullQueueRefusesAtOnce) {
  start({.max_batch = 1, .queue = 2});
  auto first = occupy();
  auto one = push(1, 1), two = push(1, 2), three = push(1, 3);
  EXPECT_TRUE(one.accepted);
  EXPECT_TRUE(two.accepted);
  EXPECT_FALSE(three.accepted);
  control_->release();
  expect_rows(two.get(), 1, 2);
  EXPECT_TRUE(push(1, 4).accepted);
}

TEST_F(BatcherTest, CancelledRequestsAreNotRun) {
  start({.max_batch = 8});
  auto first = occupy();
  auto one = push(1, 1), two = push(1, 2);
  EXPECT_TRUE(batcher_->cancel(2));
  EXPECT_EQ(one.get().code, Code::cancelled);
  EXPECT_FALSE(batcher_->cancel(2));
  EXPECT_FALSE(batcher_->cancel(1)) << "runs already";
  EXPECT_FALSE(batcher_->cancel(99));
  control_->release();
  expect_rows(two.get(), 1, 2);
  expect_rows(first.get(), 1, 100);
  EXPECT_THAT(control_->seen(), ElementsAre(1, 1));
}

TEST_F(BatcherTest, ExpiresWhileTheNetworkIsBusy) {
  start({.max_batch = 8});
  auto first = occupy();
  auto late = push(1, 1, Clock::now() + std::chrono::milliseconds(1));
  auto patient = push(1, 2);
  EXPECT_EQ(late.get().code, Code::deadline);  // although the network still runs
  control_->release();
  expect_rows(patient.get(), 1, 2);
  EXPECT_THAT(control_->seen(), ElementsAre(1, 1));
}

TEST_F(BatcherTest, ADeadlineThatComesEarlierThanTheOthersIsKept) {
  start({.max_batch = 8});
  auto first = occupy();
  auto patient = push(1, 1), late = push(1, 2, Clock::now() + std::chrono::milliseconds(2)),
       later = push(1, 3, Clock::now() + std::chrono::milliseconds(4));
  EXPECT_EQ(late.get().code, Code::deadline);
  EXPECT_EQ(later.get().code, Code::deadline);
  control_->release();
  expect_rows(patient.get(), 1, 1);
}

TEST_F(BatcherTest, AFailingRequestDoesNotFailItsBatchMates) {
  start({.max_batch = 8});
  auto first = occupy();
  auto one = push(1, 1), poison = push(1, tests::kPoison), two = push(2, 2);
  control_->release();
  expect_rows(one.get(), 1, 1);
  expect_rows(two.get(), 2, 2);
  const auto failed = poison.get();
  EXPECT_EQ(failed.code, Code::internal);
  EXPECT_EQ(failed.message.find("666"), std::string::npos) << "the network's message quotes a value";
  EXPECT_EQ(errors_, 2);
}

TEST_F(BatcherTest, AnswersOutliveTheBatcher) {
  start({.max_batch = 8});
  auto result = push(1, 3).get();
  batcher_.reset();
  EXPECT_EQ(control_->alive, 0);
  expect_rows(result, 1, 3);
}

TEST_F(BatcherTest, FinishesWhatWaitsBeforeItEnds) {
  start({.max_batch = 1, .delay = std::chrono::hours(1)});
  auto first = occupy();
  auto one = push(1, 1), two = push(1, 2);
  std::thread end([this] { batcher_.reset(); });
  control_->release();
  end.join();
  expect_rows(one.get(), 1, 1);
  expect_rows(two.get(), 1, 2);
}

TEST_F(BatcherTest, ManyThreadsAtOnce) {
  start({.max_batch = 16, .queue = 10000});
  constexpr int kThreads = 4, kEach = 200;
  std::atomic<int> right{0}, cancelled{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) {
        auto promise = std::make_shared<std::promise<JobResult>>();
        auto future = promise->get_future();
        const auto mark = static_cast<float>(t * kEach + i);
        Job job;
        job.id = static_cast<std::uint64_t>(t * kEach + i + 1);
        const auto id = job.id;
        job.request = tests::request_of(1, mark);
        job.rows = wire::check(job.request, kSignature, {});
        job.arrived = Clock::now();
        job.deadline = Clock::now() + std::chrono::hours(1);
        job.done = [promise](JobResult result) { promise->set_value(std::move(result)); };
        ASSERT_TRUE(batcher_->push(job));
        if (i % 7 == 0) batcher_->cancel(id);
        const auto result = future.get();
        if (result.code == Code::cancelled) {
          ++cancelled;
        } else {
          right += mark == tests::kPoison || tests::floats_of(result.output).at(0) == 2 * mark;
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(right + cancelled, kThreads * kEach);
}

}  // namespace
}  // namespace infoscissors::serve
