#include "infoscissors/tune/verdict.h"
#include "infoscissors/base/error.h"

#include <gtest/gtest.h>

#include <cmath>

namespace infoscissors::tune {
namespace {

Measured measured(const std::string& defense, double accuracy, double ssim, double labels = study::kNone) {
  Measured m;
  m.defense = defense;
  m.accuracy.mean = accuracy;
  m.leaks["input"].attack = "ka";
  m.leaks["input"].value.mean = ssim;
  if (std::isnan(labels)) return m;
  m.leaks["prediction"].attack = "pmc";
  m.leaks["prediction"].value.mean = labels;
  return m;
}

study::Row row(const std::string& spec, const std::string& attack, const std::string& goal, const std::string& metric,
               double value, std::uint64_t seed = 0) {
  study::Row r;
  r.run = spec + std::to_string(seed);
  r.labels.defense = spec;
  r.labels.seed = seed;
  r.spec = spec;
  r.attack = attack;
  r.goal = goal;
  r.metric = metric;
  r.value = value;
  return r;
}

TEST(Verdict, LeakageIsTheLargerShareOfWhatTheUndefendedNetworkLeaks) {
  const auto reference = measured("none", 0.9, 0.8, 0.6);
  const auto verdict = judge(measured("mid", 0.88, 0.4, 0.35), reference, 10, 0.03);
  EXPECT_NEAR(verdict.loss, 0.02, 1e-12);
  EXPECT_TRUE(verdict.within);
  EXPECT_NEAR(verdict.leakage, 0.5, 1e-12);  // SSIM 0.4 of 0.8; labels 0.25 of 0.5 above chance
  EXPECT_EQ(verdict.score, verdict.leakage);
  EXPECT_NEAR(judge(measured("mid", 0.88, 0.2, 0.35), reference, 10, 0.03).leakage, 0.5, 1e-12);
}

TEST(Verdict, EachAllowanceTooManyCountsAsMuchAsAllLeakage) {
  const auto reference = measured("none", 0.9, 0.8);
  const auto verdict = judge(measured("mid", 0.81, 0.4), reference, 10, 0.03);
  EXPECT_FALSE(verdict.within);
  EXPECT_NEAR(verdict.score, 0.5 + 2, 1e-9);
}

TEST(Verdict, LessThanChanceIsNoLeakage) {
  EXPECT_EQ(judge(measured("mid", 0.9, 0, 0.05), measured("none", 0.9, 0.8, 0.6), 10, 0.03).leakage, 0);
}

TEST(Verdict, NothingToProtectIsAnError) {
  EXPECT_THROW(judge(measured("mid", 0.9, 0.5, 0.1), measured("none", 0.9, 0.8, 0.1), 10, 0.03), base::Error);
}

TEST(Verdict, RankPutsTheAllowedFirstWhereItIsStrict) {
  const auto reference = measured("none", 0.9, 1.0);
  std::vector<Verdict> verdicts = {judge(measured("a", 0.869, 0.2), reference, 10, 0.03),
                                   judge(measured("b", 0.9, 0.9), reference, 10, 0.03),
                                   judge(measured("c", 0.88, 0.5), reference, 10, 0.03)};
  rank(verdicts, false);
  EXPECT_EQ(verdicts[0].measured.defense, "a");
  rank(verdicts, true);
  EXPECT_EQ(verdicts[0].measured.defense, "c");
  EXPECT_EQ(verdicts[1].measured.defense, "b");
}

TEST(Verdict, MeasuresTheStrongestOverSeedsAndLeavesOutWhatIsIncomplete) {
  std::vector<study::Row> rows;
  for (std::uint64_t seed = 0; seed < 2; ++seed) {
    rows.push_back(row("none", "", "", "accuracy", 0.9, seed));
    rows.push_back(row("none", "ka", "input", "ssim", 0.5, seed));
    rows.push_back(row("none", "rmle", "input", "ssim", 0.6 + 0.2 * static_cast<double>(seed), seed));
    rows.push_back(row("an", "", "", "accuracy", 0.8, seed));  // its attack failed
    rows.push_back(row("mid", "", "", "accuracy", 0.8, seed));
    rows.push_back(row("mid", "ka", "input", "ssim", std::nan(""), seed));  // it diverged
  }
  const auto list = measure(study::summarise(rows), {"input"});
  ASSERT_EQ(list.size(), 1U);
  EXPECT_EQ(list[0].defense, "none");
  EXPECT_EQ(list[0].leaks.at("input").attack, "rmle");
  EXPECT_NEAR(list[0].leaks.at("input").value.mean, 0.7, 1e-12);
  EXPECT_EQ(list[0].accuracy.seeds, 2);
}

}  // namespace
}  // namespace infoscissors::tune
