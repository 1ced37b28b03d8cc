#include "infoscissors/sweep/finished.h"

#include "infoscissors/base/file.h"

#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"

#include <gtest/gtest.h>

namespace infoscissors::sweep {
namespace {

Finished read(const std::string& text) {
  const tests::TemporaryDirectory directory;
  base::write_file(directory / "table.csv", text);
  return load_finished(directory / "table.csv");
}

TEST(Finished, ReadsRunsAndTheirAttacks) {
  const auto finished = read(
      "seed,run,attack,value\r\n"
      "0,aa,,0.9\r\n"
      "0,aa,\"ka(decoder=res,budget=40)\",0.5\n"
      "\n"
      "1,bb,\"odd \"\"name\"\"\nof two lines\",0.1");
  ASSERT_EQ(finished.size(), 2U);
  EXPECT_EQ(finished.at("aa"), (std::set<std::string>{"", "ka(decoder=res,budget=40)"}));
  EXPECT_EQ(finished.at("bb"), (std::set<std::string>{"odd \"name\"\nof two lines"}));
}

TEST(Finished, PassesOverWhatIsNotFinished) {
  const auto finished = read(
      "run,seed,status,attack,attack_seed\n"
      "aa,1,complete,,\n"
      "aa,1,complete,pmc,1\n"
      "aa,1,complete,knn,7\n"
      "bb,1,interrupted,,\n");
  ASSERT_EQ(finished.size(), 1U);
  EXPECT_EQ(finished.at("aa"), (std::set<std::string>{"", "pmc"})) << "knn with a seed of its own is another attack";
}

TEST(Finished, RefusesWhatIsNoLongTable) {
  const auto refusal = [](const char* text) { return tests::message_of<base::UsageError>([&] { read(text); }); };
  EXPECT_THAT(refusal(""), testing::HasSubstr("is empty"));
  EXPECT_THAT(refusal("run,value\naa,1\n"), testing::HasSubstr("has no column 'attack'"));
  EXPECT_THAT(refusal("run,attack\naa,pmc\nbb\n"), testing::HasSubstr("row 3 has 1 fields instead of 2"));
  EXPECT_THAT(tests::message_of<base::UsageError>([] { load_finished("nowhere.csv"); }),
              testing::HasSubstr("no such table"));
}

}  // namespace
}  // namespace infoscissors::sweep
