#include "infoscissors/bench/load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>

namespace infoscissors::bench {
namespace {

using namespace std::chrono_literals;

TEST(ClosedLoop, EveryWorkerSendsOneRequestAfterTheOther) {
  std::mutex mutex;
  std::set<std::pair<std::size_t, std::uint64_t>> seen;
  std::atomic<int> inside[4] = {};
  std::atomic<bool> overlapped{false};
  const auto load = closed_loop(
      [&](std::size_t worker, std::uint64_t n) {
        if (inside[worker]++ != 0) overlapped = true;
        {
          const std::lock_guard lock(mutex);
          seen.emplace(worker, n);
        }
        std::this_thread::sleep_for(1ms);
        --inside[worker];
      },
      4, 20ms);
  EXPECT_FALSE(overlapped);
  EXPECT_EQ(load.micros.size(), seen.size());
  for (std::size_t worker = 0; worker < 4; ++worker) EXPECT_TRUE(seen.contains({worker, 0})) << worker;
  EXPECT_THAT(load.micros, testing::Each(testing::Ge(1000.0)));
  EXPECT_GE(load.seconds, 0.020);
  EXPECT_EQ(load.failures, 0U);
}

TEST(ClosedLoop, CallsOnceEvenWithoutTime) {
  EXPECT_EQ(closed_loop([](std::size_t, std::uint64_t) {}, 3, 0ms).micros.size(), 3U);
}

TEST(ClosedLoop, CountsFailuresApartFromLatencies) {
  const auto load = closed_loop(
      [](std::size_t, std::uint64_t n) {
        if (n % 2 == 1) throw std::runtime_error("the server is gone");
        std::this_thread::sleep_for(1ms);
      },
      1, 300ms);
  EXPECT_GE(load.failures, 1U);
  EXPECT_EQ(load.failure, "the server is gone");
  EXPECT_GE(load.micros.size(), load.failures);
  EXPECT_LE(load.micros.size(), load.failures + 1);
}

TEST(ClosedLoop, MeasuresProcessorTimeOfThisProcess) {
  // Waiting costs none, computing all of its time: that is what the two bounds tell apart.
  const auto waiting = closed_loop([](std::size_t, std::uint64_t) { std::this_thread::sleep_for(50ms); }, 1, 200ms);
  EXPECT_LT(waiting.cpu_seconds, 0.1);
  std::atomic<double> sink{0};
  const auto begin = process_cpu_seconds();
  const auto busy = closed_loop(
      [&](std::size_t, std::uint64_t) {
        while (process_cpu_seconds() < begin + 0.2) sink = std::sqrt(sink + 1);
      },
      1, 0ms);
  EXPECT_GE(busy.cpu_seconds, 0.15);
}

TEST(OpenLoop, SendsThePoissonProcessOfItsSeed) {
  std::atomic<std::uint64_t> calls{0};
  const auto once = [&](std::uint64_t seed) {
    calls = 0;
    open_loop([&](std::size_t, std::uint64_t) { ++calls; }, 4, 2000, 200ms, seed);
    return calls.load();
  };
  const auto first = once(1);
  EXPECT_EQ(once(1), first);
  // 400 expected, deviation 20: six deviations to either side.
  EXPECT_NEAR(static_cast<double>(first), 400, 120);
}

TEST(OpenLoop, LatencyCountsFromWhenARequestWasDue) {
  // One worker, 1 ms a call, 2000 calls a second wanted: a queue of callers must form and be seen. A closed loop's
  // latencies would all be about 1 ms.
  const auto load = open_loop([](std::size_t, std::uint64_t) { std::this_thread::sleep_for(1ms); }, 1, 2000, 100ms, 3);
  EXPECT_GT(load.micros.back(), 20000);
}

TEST(OpenLoop, GivesUpASecondAfterTheEnd) {
  const auto load = open_loop([](std::size_t, std::uint64_t) { std::this_thread::sleep_for(300ms); }, 1, 1000, 50ms, 5);
  EXPECT_LE(load.micros.size(), 6U);
  EXPECT_GE(load.failures, 20U);
  EXPECT_THAT(load.failure, testing::HasSubstr("more than the server does"));
}

TEST(ProcessorTime, OfAProcessThatIsGoneIsNotANumber) {
  EXPECT_TRUE(std::isnan(process_cpu_seconds(-12345)));
}

}  // namespace
}  // namespace infoscissors::bench
