#include "infoscissors/report/sweep.h"

#include "infoscissors/base/file.h"
#include "infoscissors/report/sweep_sections.h"
#include "tests/report/fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>
#include <set>

namespace infoscissors::report {
namespace {

using testing::HasSubstr;
using testing::Not;

class Sweep : public testing::Test {
 protected:
  Sweep() : directory_("sweep") {
    fabricate_run(directory_.path(), "a", {});
    fabricate_run(directory_.path(), "b", {.defense = "an(scale=1)", .accuracy = 0.8, .blur = 0.7});
    fabricate_run(directory_.path(), "c", {.defense = "infoscissors(input=0.4)", .accuracy = 0.85, .blur = 0.8});
  }
  study::Study study() const { return study::load({directory_.path()}); }

  TemporaryDirectory directory_;
};

constexpr const char* kTagLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

TEST_F(Sweep, EveryElementIsClosed) {
  std::string page = render_sweep(study());
  page = page.substr(0, page.find("<script>"));
  const std::set<std::string> empty = {"meta", "link", "img", "wbr"};
  std::vector<std::string> open;
  // Pages are too long for std::regex, which recurses over what it matches.
  for (auto at = page.find('<'); at != std::string::npos; at = page.find('<', at + 1)) {
    const bool closes = page[at + 1] == '/';
    const auto begin = at + (closes ? 2 : 1), last = page.find('>', at);
    ASSERT_NE(last, std::string::npos);
    const std::string name = page.substr(begin, page.find_first_not_of(kTagLetters, begin) - begin);
    if (name.empty() || page[last - 1] == '/' || empty.contains(name)) continue;
    if (!closes) {
      open.push_back(name);
      continue;
    }
    ASSERT_FALSE(open.empty()) << name;
    ASSERT_EQ(open.back(), name);
    open.pop_back();
  }
  EXPECT_EQ(open, (std::vector<std::string>{"html", "body"}));
}

TEST_F(Sweep, IdsAreUnique) {
  const std::string page = render_sweep(study());
  std::set<std::string> ids;
  const std::regex id("\\sid=['\"]([^'\"]+)['\"]");
  for (std::sregex_iterator at(page.begin(), page.end(), id), end; at != end; ++at)
    EXPECT_TRUE(ids.insert((*at)[1]).second) << (*at)[1];
  EXPECT_GT(ids.size(), 20U);
}

TEST_F(Sweep, HoldsEverythingWithItsCommand) {
  const std::string page = render_sweep(study());
  const auto source = directory_.path().string();
  const std::vector<std::string> texts = {
      "infoscissors figure 4 " + source,
      "infoscissors figure 5 " + source,
      "infoscissors figure 3 " + source + " --dataset fashion-mnist --backbone",
      "infoscissors table " + source,
      "infoscissors table " + source + " --hypervolume",
      "--compare infoscissors an",
      "infoscissors run config.toml --out again",
      "infoscissors attack " + source + "/b --attack &#39;ka(budget=400,decoder=conv)&#39; --seed 7",
      "Nothing that was planned",
      "Example 9000",
      "psi has not caught up"};
  for (const auto& text : texts) EXPECT_THAT(page, HasSubstr(text));
  // What these runs cannot show is said.
  EXPECT_THAT(page, HasSubstr("Figure 7: figure 7 shows infoscissors with input and prediction above 0 at once"));
  EXPECT_THAT(page, HasSubstr("Figure budget: "));
}

TEST_F(Sweep, LoadsNothingFromElsewhere) {
  const std::string page = render_sweep(study());
  const std::regex outside("(src|href)=['\"](?!data:|#)[^'\"]");
  EXPECT_FALSE(std::regex_search(page, outside));
  EXPECT_THAT(page, HasSubstr("default-src 'none'"));
  EXPECT_THAT(page, Not(HasSubstr("unsafe-inline'; img-src data:; script-src 'unsafe")));
}

TEST_F(Sweep, EscapesWhatComesFromFiles) {
  auto hostile = study();
  hostile.name = "<script>alert(1)</script>";
  hostile.missing.push_back({"x", {}, "<b>", "", "failed: <img src=x>"});
  const std::string page = render_sweep(hostile);
  EXPECT_THAT(page, Not(HasSubstr("<script>alert")));
  EXPECT_THAT(page, Not(HasSubstr("<img src=x>")));
  EXPECT_THAT(page, HasSubstr("failed: &lt;img src=x&gt;"));
}

TEST(Missing, IsATableWithReasons) {
  study::Study study;
  study.missing.push_back({"x", {}, "an(scale=3)", "rmle", "not run"});
  const auto html = missing_section(study);
  EXPECT_THAT(html, HasSubstr("<td>an(scale=3)</td>"));
  EXPECT_THAT(html, HasSubstr("<td>rmle</td><td>not run</td>"));
}

TEST(ShellWord, IsQuotedWhereItMustBe) {
  EXPECT_EQ(shell_word("out/a-b_1.csv"), "out/a-b_1.csv");
  EXPECT_EQ(shell_word("it's(1)"), "'it'\\''s(1)'");
  EXPECT_EQ(shell_word(""), "''");
}

TEST(InlineSvg, KeepsNamesApart) {
  const auto svg =
      inline_svg("<?xml version='1.0'?>\n<svg viewBox='0 0 1 1'><path id='gpPt1'/><use xlink:href='#gpPt1'/></svg>",
                 "figure-4", "a \"b\"");
  EXPECT_EQ(svg,
            "<svg role='img' aria-label='a &quot;b&quot;' viewBox='0 0 1 1'><path id='figure-4-gpPt1'/><use "
            "xlink:href='#figure-4-gpPt1'/></svg>");
}

}  // namespace
}  // namespace infoscissors::report
