#include "infoscissors/serve/admission.h"

#include <gtest/gtest.h>

namespace infoscissors::serve {
namespace {

using std::chrono::milliseconds;
using Verdict = Admission::Verdict;
const Admission::Clock::time_point kStart{std::chrono::hours(1)};

TEST(Admission, BucketHoldsTheBurstAndRefillsAtTheRate) {
  Admission admission(10, 3, 0);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(admission.enter("a", kStart), Verdict::admitted);
  EXPECT_EQ(admission.enter("a", kStart), Verdict::too_fast);
  EXPECT_EQ(admission.enter("a", kStart + milliseconds(99)), Verdict::too_fast);
  EXPECT_EQ(admission.enter("a", kStart + milliseconds(101)), Verdict::admitted);
  EXPECT_EQ(admission.enter("a", kStart + milliseconds(101)), Verdict::too_fast);
  // An hour later there is a full bucket, not an hour's worth.
  const auto later = kStart + std::chrono::hours(1);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(admission.enter("a", later), Verdict::admitted);
  EXPECT_EQ(admission.enter("a", later), Verdict::too_fast);
}

TEST(Admission, DevicesDoNotShare) {
  Admission admission(1, 1, 1);
  EXPECT_EQ(admission.enter("a", kStart), Verdict::admitted);
  EXPECT_EQ(admission.enter("b", kStart), Verdict::admitted);
  EXPECT_EQ(admission.enter("a", kStart), Verdict::too_many);
}

TEST(Admission, ConcurrencyCountsWhatIsUnanswered) {
  Admission admission(0, 1, 2);
  EXPECT_EQ(admission.enter("a", kStart), Verdict::admitted);
  EXPECT_EQ(admission.enter("a", kStart), Verdict::admitted);
  EXPECT_EQ(admission.enter("a", kStart), Verdict::too_many);
  admission.leave("a");
  EXPECT_EQ(admission.enter("a", kStart), Verdict::admitted);
  EXPECT_EQ(admission.enter("a", kStart), Verdict::too_many);
}

TEST(Admission, ARefusalCostsNothing) {
  Admission admission(10, 2, 1);
  EXPECT_EQ(admission.enter("a", kStart), Verdict::admitted);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(admission.enter("a", kStart), Verdict::too_many);
  admission.leave("a");
  EXPECT_EQ(admission.enter("a", kStart), Verdict::admitted);  // the second token is still there
}

TEST(Admission, IdleDevicesAreForgotten) {
  Admission admission(10, 1, 5);
  admission.enter("busy", kStart);
  for (int i = 0; i < 10000; ++i) {
    const auto name = std::to_string(i);
    admission.enter(name, kStart + milliseconds(200 * i));
    admission.leave(name);
  }
  EXPECT_LT(admission.known(), 1100U);
  // The busy one was not: its request is still counted.
  const auto later = kStart + std::chrono::hours(1);
  for (int i = 0; i < 4; ++i) admission.enter("busy", later + milliseconds(200 * i));
  EXPECT_EQ(admission.enter("busy", later + std::chrono::hours(1)), Verdict::too_many);
}

TEST(Admission, ZeroIsNoLimit) {
  Admission admission(0, 1, 0);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(admission.enter("a", kStart), Verdict::admitted);
  admission.leave("nobody");
}

}  // namespace
}  // namespace infoscissors::serve
