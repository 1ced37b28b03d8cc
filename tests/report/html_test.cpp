#include "infoscissors/report/html.h"

#include "infoscissors/base/error.h"
#include "infoscissors/base/file.h"
#include "infoscissors/base/npy.h"
#include "tests/report/fixture.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <regex>
#include <set>

namespace infoscissors::report {
namespace {

using testing::HasSubstr;
using testing::Not;

std::size_t count(const std::string& text, const std::string& what) {
  std::size_t found = 0;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
  return found;
}

results::Certificates certificates(const std::string& text) {
  results::CertificateRecord fano;
  fano.name = "fano";
  fano.goal = "prediction";
  fano.measure = "accuracy";
  fano.at_most = true;
  fano.value = 0.4;
  fano.quantity = fano.assumption = fano.premise = fano.source = text;
  auto floor = fano;
  floor.goal = "input";
  floor.measure = "mse";
  floor.at_most = false;
  floor.value = 1.25e-4;
  return {.config_hash = "", .version = "", .commit = "", .list = {fano, floor}, .warnings = {}};
}

class Html : public testing::Test {
 protected:
  Html() : directory_("html") {}

  RunDirectory run(const std::string& name, const Fabricated& wanted = {}) {
    return open_run(fabricate_run(directory_.path(), name, wanted));
  }

  std::string error_of(const std::vector<RunDirectory>& runs) {
    try {
      render_html(runs);
    } catch (const base::Error& error) {
      return error.what();
    }
    return "no error";
  }

  TemporaryDirectory directory_;
};

TEST_F(Html, EveryElementIsClosed) {
  RunDirectory certified = run("a");
  certified.certificates = certificates("q");
  const std::string page = render_html({certified, run("b", {.defense = "an(scale=1)", .blur = 0.7})});
  const std::set<std::string> empty = {"meta", "link", "img", "circle", "rect", "path", "line", "wbr"};
  std::vector<std::string> open;
  const std::regex tag("<(/?)([a-z0-9]+)[^>]*?(/?)>");
  for (std::sregex_iterator at(page.begin(), page.end(), tag), end; at != end; ++at) {
    const std::string name = (*at)[2];
    if ((*at)[3].length() > 0 || empty.contains(name)) continue;
    if ((*at)[1].length() == 0) {
      open.push_back(name);
      continue;
    }
    ASSERT_FALSE(open.empty()) << name;
    ASSERT_EQ(open.back(), name);
    open.pop_back();
  }
  EXPECT_TRUE(open.empty());
}

TEST_F(Html, NothingIsLoadedFromElsewhere) {
  const std::string page = render_html({run("a")});
  for (const char* outside : {"http:", "https:", "//cdn", "<script", "url(", "@import", "<iframe", "<object"}) {
    EXPECT_THAT(page, Not(HasSubstr(outside)));
  }
  EXPECT_EQ(count(page, "src="), count(page, "src='data:image/png;base64,"));
  EXPECT_THAT(page, HasSubstr("Content-Security-Policy\" content=\"default-src 'none'"));
}

TEST_F(Html, TextIsEscaped) {
  RunDirectory hostile = run("a");
  const std::string attack = "<script>alert('x')</script>&\"";
  auto& record = hostile.record;
  record.defense = record.command = record.commit = attack;
  record.warnings = {attack};
  record.attacks[0].spec = record.attacks[0].view = attack;
  record.attacks[0].measures[attack] = 1;
  record.epochs[0].values[attack + "accuracy"] = 1;
  record.data["name"] = attack;
  record.machine[attack] = attack;
  record.config[attack] = attack;
  hostile.certificates = certificates(attack);
  const std::string page = render_html({hostile}, attack);
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(page, Not(HasSubstr("('x')")));
  EXPECT_GE(count(page, "&lt;script&gt;"), 10u);
}

TEST_F(Html, PicturesCarryWordsAndSimilarity) {
  const RunDirectory one = run("a", {.blur = 0.5, .images = 3});
  const std::string page = render_html({one});
  EXPECT_EQ(count(page, "<img "), 9u);  // originals and two attacks
  EXPECT_EQ(count(page, " alt='"), 9u);
  for (const auto& attack : {one.record.attacks[0], one.record.attacks[1]}) {
    for (const auto& sample : attack.samples) {
      EXPECT_THAT(page, HasSubstr(fmt::format("<span class='ssim'>{:.2f}</span>", sample.ssim)));
    }
  }
}

TEST_F(Html, RunsOnTheSameImagesShareTheOriginals) {
  const std::string shared = render_html({run("a"), run("b", {.defense = "an"})});
  EXPECT_EQ(count(shared, "alt='Original 1'"), 1u);
  const std::string apart = render_html({run("a"), run("c", {.defense = "an", .images = 4})});
  EXPECT_EQ(count(apart, "alt='Original 1'"), 2u);
}

TEST_F(Html, SaysWhatTheDefenceCostsAndSaves) {
  const std::string page = render_html(
      {run("a", {.accuracy = 0.9, .labels = 0.7}), run("b", {.defense = "dc", .accuracy = 0.88, .labels = 0.4})});
  EXPECT_THAT(page, HasSubstr("2.0 points less than without a defence"));
  EXPECT_THAT(page, HasSubstr("infers <strong>40.0 %</strong> of the labels (without a defence: 70.0 %)"));
  EXPECT_THAT(page, HasSubstr("guessing a label is right in 10.0 % of the cases"));
}

TEST_F(Html, AViolatedCertificateIsAFinding) {
  RunDirectory one = run("a", {.labels = 0.72});
  EXPECT_THAT(render_html({one}), Not(HasSubstr("Certificates")));
  one.certificates = certificates("what it says");
  const std::string page = render_html({one, run("b", {.defense = "dc"})});
  EXPECT_EQ(count(page, "<strong class='violated'>violated</strong></td>"), 1u);
  EXPECT_THAT(page, HasSubstr("contradicts <strong>1 of its 2 certificates</strong>"));
  // The device's own classifier, right in 91.2 %, is farthest beyond the ceiling; the floor holds.
  EXPECT_THAT(page, HasSubstr("<td class='number'>91.2 %</td><td>the device&#39;s own classifier</td>"));
  EXPECT_THAT(page, HasSubstr("<td class='number'>0.00013</td>"));
  EXPECT_THAT(page, HasSubstr("<td>holds</td>"));
  EXPECT_THAT(page, HasSubstr("<p>If what it says.</p>"));
}

TEST_F(Html, CertificatesAreReadWithTheRun) {
  const auto directory = fabricate_run(directory_.path(), "a", {});
  const auto record = open_run(directory).record;
  auto stored = certificates("q");
  stored.config_hash = record.config_hash;
  results::save_certificates(directory, stored, record);
  EXPECT_EQ(open_run(directory).certificates.value().list.size(), 2u);
}

TEST_F(Html, RecordsWithGapsAreShownAsGaps) {
  RunDirectory sparse{directory_.path() / "sparse", {}};
  sparse.record.measures["accuracy"] = NAN;
  const std::string page = render_html({sparse});
  EXPECT_THAT(page, HasSubstr("the accuracy has not been measured"));
  EXPECT_THAT(page, HasSubstr("No attack was run"));
  EXPECT_FALSE(std::regex_search(page, std::regex("\\b-?(nan|inf)\\b")));
  EXPECT_THAT(page, Not(HasSubstr("<svg viewBox")));
}

TEST_F(Html, ImageFilesAreChecked) {
  RunDirectory one = run("a");
  const auto file = one.path / one.record.attacks[0].images;
  base::write_npy(file, {.dtype = "<f4", .shape = {1, 1, 1, 1}, .data = std::string(4, '\0')});
  EXPECT_EQ(error_of({one}), file.string() + ": must hold uint8 images (N, C, H, W) with C = 1 or 3, in C order");
  base::write_npy(file, {.dtype = "|u1", .shape = {1, 1, 2, 2}, .data = std::string(4, '\0')});
  EXPECT_EQ(error_of({one}), file.string() + ": holds 1 images, but the record describes 8");
  std::filesystem::remove(file);
  EXPECT_THAT(error_of({one}), HasSubstr(file.string() + ": cannot be read"));
  EXPECT_EQ(error_of({}), "a report needs at least one run directory");
}

TEST_F(Html, WritesThePage) {
  const auto page = directory_.path() / "page.html";
  write_report({fabricate_run(directory_.path(), "a", {})}, page);
  EXPECT_EQ(base::read_file(page), render_html({run("a")}));
  EXPECT_THROW(write_report({directory_.path()}, page), base::Error);
  EXPECT_THROW(write_report({directory_.path() / "a"}, directory_.path() / "none" / "page.html"), base::Error);
}

// Not a check: with INFOSCISSORS_KEEP_REPORT=FILE it leaves a page there to look at.
TEST_F(Html, LeavesAPageToLookAt) {
  const char* keep = std::getenv("INFOSCISSORS_KEEP_REPORT");
  if (keep == nullptr) GTEST_SKIP() << "INFOSCISSORS_KEEP_REPORT is not set";
  base::write_file(
      keep,
      render_html(
          {run("a"),
           run("b",
               {.defense = "infoscissors(input=0.2,prediction=0.1)", .accuracy = 0.899, .blur = 0.72, .labels = 0.31}),
           run("c", {.defense = "an(scale=0.5)", .accuracy = 0.843, .blur = 0.5, .labels = 0.66})}));
}

}  // namespace
}  // namespace infoscissors::report
