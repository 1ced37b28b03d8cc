#include "infoscissors/base/progress.h"

#include "infoscissors/base/machine.h"
#include "tests/base/support.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sched.h>

#include <cstdlib>
#include <limits>
#include <thread>

namespace infoscissors::base {
namespace {

using testing::HasSubstr;

/// Stderr is a terminal while it lives; text() is what was written to it.
class Terminal {
 public:
  Terminal() : master_(::posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK)) {
    if (master_ < 0 || ::grantpt(master_) != 0 || ::unlockpt(master_) != 0) return;
    slave_ = ::open(::ptsname(master_), O_RDWR | O_NOCTTY);
    saved_ = ::dup(STDERR_FILENO);
    if (slave_ >= 0) ::dup2(slave_, STDERR_FILENO);
  }
  ~Terminal() {
    if (slave_ >= 0) ::dup2(saved_, STDERR_FILENO);
    for (const int descriptor : {saved_, slave_, master_}) {
      if (descriptor >= 0) ::close(descriptor);
    }
  }
  bool works() const { return slave_ >= 0; }
  std::string text() const {
    char buffer[4096];
    const auto size = ::read(master_, buffer, sizeof buffer);
    return size > 0 ? std::string(buffer, static_cast<std::size_t>(size)) : std::string();
  }

 private:
  int master_ = -1, slave_ = -1, saved_ = -1;
};

// A bar is drawn at most ten times a second, so the first update that shows one comes after that wait.
void wait_until_drawn() {
  std::this_thread::sleep_for(std::chrono::milliseconds(110));
}

TEST(FormatSeconds, IsShort) {
  EXPECT_EQ(format_seconds(0), "0 s");
  EXPECT_EQ(format_seconds(7.4), "7 s");
  EXPECT_EQ(format_seconds(59.6), "1:00");
  EXPECT_EQ(format_seconds(123), "2:03");
  EXPECT_EQ(format_seconds(3723), "1:02:03");
  EXPECT_EQ(format_seconds(-1), "0 s");
  EXPECT_EQ(format_seconds(std::numeric_limits<double>::quiet_NaN()), "0 s");
}

TEST(Progress, DrawsABarAndRemovesIt) {
  const Terminal terminal;
  if (!terminal.works()) GTEST_SKIP() << "no pseudo terminal";
  {
    Progress progress("training", 4, "steps");
    wait_until_drawn();
    progress.update(2, "loss 0.31");
    const std::string text = terminal.text();
    EXPECT_THAT(text, HasSubstr("training [############------------] 2/4 steps"));
    EXPECT_THAT(text, HasSubstr("loss 0.31"));
  }
  EXPECT_EQ(terminal.text(), "\r\033[K");
}

TEST(Progress, MoreThanEverythingIsAFullBar) {
  const Terminal terminal;
  if (!terminal.works()) GTEST_SKIP() << "no pseudo terminal";
  Progress progress("training", 4, "steps");
  wait_until_drawn();
  progress.update(9);
  EXPECT_THAT(terminal.text(), HasSubstr("training [########################] 9/4 steps"));
}

TEST(Progress, IsSilentWhenQuiet) {
  const Terminal terminal;
  if (!terminal.works()) GTEST_SKIP() << "no pseudo terminal";
  Progress::set_quiet(true);
  {
    Progress progress("training", 4, "steps");
    wait_until_drawn();
    progress.update(2);
  }
  Progress::set_quiet(false);
  EXPECT_EQ(terminal.text(), "");
}

TEST(Machine, CountsNoMoreCoresThanTheAffinityAllows) {
  cpu_set_t set;
  CPU_ZERO(&set);
  ASSERT_EQ(::sched_getaffinity(0, sizeof set, &set), 0);
  EXPECT_GE(available_cores(), 1);
  EXPECT_LE(available_cores(), CPU_COUNT(&set));
}

TEST(Machine, IsDescribed) {
  const Json machine = describe_machine();
  EXPECT_EQ(machine["cores"], available_cores());
  EXPECT_GT(machine["memory_gib"].get<double>(), 0);
  for (const char* key : {"processor", "system", "compiler"}) EXPECT_FALSE(machine[key].get<std::string>().empty());
}

}  // namespace
}  // namespace infoscissors::base
