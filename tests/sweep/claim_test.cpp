#include "infoscissors/sweep/claim.h"

#include "infoscissors/base/file.h"
#include "infoscissors/base/json.h"

#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>

namespace infoscissors::sweep {
namespace {

using namespace std::chrono_literals;

/// A claim of a process on another machine.
void write_foreign(const std::filesystem::path& directory, const std::string& token = "t") {
  base::write_json(directory / "run.1",
                   {{"token", token}, {"host", "far"}, {"process", 1}, {"scope", "far"}, {"start", "1"}});
}

std::size_t files_in(const std::filesystem::path& directory) {
  return static_cast<std::size_t>(
      std::distance(std::filesystem::directory_iterator(directory), std::filesystem::directory_iterator()));
}

TEST(Claim, BelongsToOneAndIsGoneWithIt) {
  const tests::TemporaryDirectory directory;
  {
    const auto first = Claim::take(directory.path(), "run");
    ASSERT_NE(first, nullptr);
    EXPECT_TRUE(first->held());
    EXPECT_EQ(Claim::take(directory.path(), "run"), nullptr);
    EXPECT_NE(Claim::take(directory.path(), "other"), nullptr);
    EXPECT_FALSE(read_claim(directory.path(), "ru").has_value()) << "the beginning of a name is another name";
  }
  EXPECT_EQ(files_in(directory.path()), 0U);
  EXPECT_NE(Claim::take(directory.path(), "run"), nullptr);
}

TEST(Claim, OneOfManyContendersGetsIt) {
  const tests::TemporaryDirectory directory;
  for (int round = 0; round < 20; ++round) {
    std::atomic<int> winners{0};
    std::atomic<bool> go{false};
    std::vector<std::unique_ptr<Claim>> claims(8);
    std::vector<std::thread> threads;
    for (auto& claim : claims) {
      threads.emplace_back([&] {
        while (!go) std::this_thread::yield();
        claim = Claim::take(directory.path(), "run");
        if (claim) ++winners;
      });
    }
    go = true;
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(winners, 1);
  }
}

TEST(Claim, OfAKilledProcessIsTakenAtOnce) {
  const tests::TemporaryDirectory directory;
  const pid_t child = ::fork();
  if (child == 0) {
    const auto claim = Claim::take(directory.path(), "run");
    ::kill(::getpid(), SIGKILL);
    ::_exit(0);
  }
  ::waitpid(child, nullptr, 0);
  const auto left = read_claim(directory.path(), "run");
  ASSERT_TRUE(left.has_value());
  EXPECT_TRUE(left->here);
  EXPECT_TRUE(left->dead);
  const auto claim = Claim::take(directory.path(), "run");
  ASSERT_NE(claim, nullptr);
  EXPECT_EQ(read_claim(directory.path(), "run")->generation, 2);
  EXPECT_TRUE(claim->held());
}

TEST(Claim, OfAnotherMachineIsLeftAloneUntilItIsSeenToBeAbandoned) {
  const tests::TemporaryDirectory directory;
  write_foreign(directory.path());
  EXPECT_EQ(Claim::take(directory.path(), "run"), nullptr);
  EXPECT_EQ(Claim::take(directory.path(), "run", 2), nullptr) << "another generation than the one that was watched";
  const auto claim = Claim::take(directory.path(), "run", 1);
  ASSERT_NE(claim, nullptr);
  EXPECT_TRUE(claim->held());
}

TEST(Claim, OutbidTellsItsOwner) {
  const tests::TemporaryDirectory directory;
  std::atomic<bool> lost{false};
  const auto first = Claim::take(
      directory.path(), "run", 0, [&] { lost = true; }, 5ms);
  const auto second = Claim::take(directory.path(), "run", 1);
  ASSERT_NE(second, nullptr) << "its owner was believed to be gone";
  EXPECT_FALSE(first->held());
  for (int i = 0; i < 2000 && !lost; ++i) std::this_thread::sleep_for(1ms);
  EXPECT_TRUE(lost);
  EXPECT_TRUE(second->held());
}

TEST(Claim, BeatsWhileItIsHeld) {
  const tests::TemporaryDirectory directory;
  const auto claim = Claim::take(directory.path(), "run", 0, {}, 5ms);
  const auto before = read_claim(directory.path(), "run")->beat;
  bool changed = false;
  for (int i = 0; i < 2000 && !changed; ++i) {
    std::this_thread::sleep_for(1ms);
    changed = read_claim(directory.path(), "run")->beat != before;
  }
  EXPECT_TRUE(changed);
}

TEST(Claim, CannotBeTakenWhereNothingCanBeWritten) {
  const tests::TemporaryDirectory directory;
  base::write_file(directory / "file", "in the way");
  EXPECT_THAT(tests::message_of([&] { Claim::take(directory / "file", "run"); }), testing::HasSubstr("file"));
}

class FakeClock {
 public:
  ClaimWatch::Clock clock() {
    return [this] { return std::chrono::steady_clock::time_point(1s) + now; };
  }
  std::chrono::milliseconds now{0};
};

ClaimInfo foreign(const std::string& beat) {
  return {.generation = 1, .token = "t", .host = "far", .process = 1, .beat = beat};
}

TEST(ClaimWatch, NeedsAFullSilenceOnItsOwnClock) {
  FakeClock time;
  ClaimWatch watch(100ms, time.clock());
  EXPECT_FALSE(watch.abandoned("run", foreign("5")));
  time.now = 90ms;
  EXPECT_FALSE(watch.abandoned("run", foreign("5")));
  EXPECT_FALSE(watch.abandoned("run", foreign("3"))) << "a clock that jumped back is a sign of life like any other";
  time.now = 180ms;
  EXPECT_FALSE(watch.abandoned("run", foreign("3")));
  EXPECT_FALSE(watch.abandoned("other", foreign("3"))) << "seen for the first time";
  time.now = 190ms;
  EXPECT_TRUE(watch.abandoned("run", foreign("3")));
}

TEST(ClaimWatch, BelievesTheMachineAboutItsOwnProcesses) {
  FakeClock time;
  ClaimWatch watch(100ms, time.clock());
  auto mine = foreign("5");
  mine.here = true;
  EXPECT_FALSE(watch.abandoned("run", mine));
  time.now = 1000ms;
  EXPECT_FALSE(watch.abandoned("run", mine)) << "alive, if silent";
  mine.dead = true;
  EXPECT_TRUE(watch.abandoned("run", mine));
}

}  // namespace
}  // namespace infoscissors::sweep
