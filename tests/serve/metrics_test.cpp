#include "infoscissors/serve/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>
#include <set>
#include <sstream>

namespace infoscissors::serve {
namespace {

using ::testing::HasSubstr;

TEST(Histogram, CountsCumulatively) {
  Histogram histogram({1, 2, 5});
  for (const double value : {0.5, 1.0, 1.5, 2.5, 5.0, 100.0}) histogram.add(value);
  const auto text = histogram.text("h", "model=\"a\"");
  EXPECT_THAT(text, HasSubstr("h_bucket{model=\"a\",le=\"1\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("h_bucket{model=\"a\",le=\"2\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("h_bucket{model=\"a\",le=\"5\"} 5\n"));
  EXPECT_THAT(text, HasSubstr("h_bucket{model=\"a\",le=\"+Inf\"} 6\n"));
  EXPECT_THAT(text, HasSubstr("h_count{model=\"a\"} 6\n"));
  EXPECT_THAT(text, HasSubstr("h_sum{model=\"a\"} 110.5\n"));
  EXPECT_THAT(Histogram({1}).text("h", ""), HasSubstr("h_count 0\n"));
}

TEST(Metrics, EveryLineIsPrometheusText) {
  Metrics metrics;
  metrics.model("net", "v1")->batch_rows.add(3);
  EXPECT_EQ(metrics.model("net", "v1"), metrics.model("net", "v1"));
  EXPECT_NE(metrics.model("net", "v1"), metrics.model("net", "v2"));
  const std::regex sample(R"re([a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? [-+0-9.e]+)re");
  const std::regex comment(R"re(# (HELP|TYPE) [a-z_]+ .+)re");
  std::istringstream lines(metrics.text());
  std::string line;
  std::set<std::string> seen;
  while (std::getline(lines, line)) {
    EXPECT_TRUE(std::regex_match(line, sample) || std::regex_match(line, comment)) << line;
    EXPECT_TRUE(seen.insert(line.substr(0, line.rfind(' '))).second || line.starts_with("#")) << "twice: " << line;
  }
  EXPECT_THAT(metrics.text(), HasSubstr("infoscissors_batch_rows_bucket{model=\"net\",version=\"v1\",le=\"4\"} 1\n"));
}

TEST(Reasons, AllHaveNames) {
  std::set<std::string> names;
  for (int i = 0; i < kReasons; ++i) names.insert(name(static_cast<Reason>(i)));
  EXPECT_EQ(names.size(), static_cast<std::size_t>(kReasons));
}

}  // namespace
}  // namespace infoscissors::serve
