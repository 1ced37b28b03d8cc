#include "infoscissors/base/npy.h"
#include "infoscissors/image/image.h"
#include "infoscissors/report/chart.h"
#include "infoscissors/report/comparison.h"
#include "infoscissors/report/escape.h"
#include "infoscissors/report/pictures.h"
#include "infoscissors/report/table.h"
#include "tests/report/fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace infoscissors::report {
namespace {

using testing::DoubleNear;
using testing::HasSubstr;
using testing::Not;
using testing::Pointwise;

results::AttackRecord attack(const std::string& spec, const std::string& goal, double value, std::uint64_t seed = 1) {
  results::AttackRecord record;
  record.name = record.spec = spec;
  record.view = "black-box";
  record.goal = goal;
  record.seed = seed;
  record.measures = {{goal == "input" ? "ssim" : "accuracy", value}};
  return record;
}

RunDirectory run(const std::string& defense, double accuracy, std::vector<results::AttackRecord> attacks) {
  RunDirectory one{"out/" + defense, {}};
  one.record.defense = defense;
  one.record.measures = {{"accuracy", accuracy}};
  one.record.attacks = std::move(attacks);
  return one;
}

TEST(Base64, EqualsTheVectorsOfRfc4648) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
  EXPECT_EQ(base64("foob"), "Zm9vYg==");
  EXPECT_EQ(base64("fooba"), "Zm9vYmE=");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64("\xff\xfe\xfd"), "//79");
}

TEST(Escape, LeavesNoCharacterOfMarkup) {
  EXPECT_EQ(escape("<a href=\"x\" b='y'>&amp;"), "&lt;a href=&quot;x&quot; b=&#39;y&#39;&gt;&amp;amp;");
  EXPECT_EQ(escape("\xc3\xa9"), "\xc3\xa9");
}

TEST(Pictures, PlanesBecomeInterleavedPixels) {
  if (!image::codecs_available()) GTEST_SKIP() << "built without codecs";
  TemporaryDirectory directory("pictures");
  const auto file = directory.path() / "x.npy";
  // Two images of 1x2 pixels; the second one is red, blue.
  base::write_npy(file, {.dtype = "|u1",
                         .shape = {2, 3, 1, 2},
                         .data = std::string("\x01\x02\x03\x04\x05\x06\xff\x00\x00\x00\x00\xff", 12)});
  const Pictures pictures(file);
  image::Image expected{.width = 2, .height = 1, .channels = 3, .pixels = {255, 0, 0, 0, 0, 255}};
  EXPECT_EQ(pictures.count(), 2);
  EXPECT_EQ(pictures.data_uri(1), "data:image/png;base64," + base64(image::encode_png(expected)));
}

TEST(Comparison, ColumnsAreTheAttacksAndReconstructionComesFirst) {
  const auto c = compare({run("none", 0.9, {attack("pmc", "prediction", 0.7), attack("ka", "input", 0.5)}),
                          run("an", 0.8, {attack("rmle", "input", 0.4)})});
  ASSERT_EQ(c.columns.size(), 3u);
  EXPECT_EQ(c.columns[0].spec, "ka");
  EXPECT_EQ(c.columns[1].spec, "rmle");
  EXPECT_EQ(c.columns[2].spec, "pmc");
  EXPECT_TRUE(std::isnan(c.rows[0].cells[1].value));
  EXPECT_EQ(c.rows[1].cells[1].value, 0.4);
}

TEST(Comparison, MarksTheStrongestOfEachGoalInEachRow) {
  const auto c = compare(
      {run("none", 0.9, {attack("ka", "input", 0.5), attack("rmle", "input", 0.8), attack("pmc", "prediction", 0.1)}),
       run("an", 0.9, {attack("ka", "input", 0.3), attack("rmle", "input", NAN)})});
  const auto marks = [&](int row) {
    std::vector<bool> list;
    for (const auto& cell : c.rows[row].cells) list.push_back(cell.strongest);
    return list;
  };
  EXPECT_EQ(marks(0), (std::vector<bool>{false, true, true}));
  EXPECT_EQ(marks(1), (std::vector<bool>{true, false, false}));
}

TEST(Comparison, AveragesOverSeedsAndDoesNotHideAFailedOne) {
  const auto c = compare({run("none", 0.9, {attack("ka", "input", 0.25, 1), attack("ka", "input", 0.75, 2)}),
                          run("an", 0.9, {attack("ka", "input", 0.25, 1), attack("ka", "input", NAN, 2)})});
  ASSERT_EQ(c.columns.size(), 1u);
  EXPECT_EQ(c.rows[0].cells[0].value, 0.5);
  EXPECT_TRUE(std::isnan(c.rows[1].cells[0].value));
}

TEST(Comparison, RowsOfTheSameDefenceAreToldApartBySeed) {
  auto first = run("an", 0.9, {});
  auto second = run("an", 0.8, {});
  first.record.seed = 3;
  second.record.seed = 4;
  auto unnamed = run("", 0.7, {});
  unnamed.path = "out/sweep-7/";
  const auto c = compare({first, second, unnamed});
  EXPECT_EQ(c.rows[0].label, "an seed 3");
  EXPECT_EQ(c.rows[1].label, "an seed 4");
  EXPECT_EQ(c.rows[2].label, "sweep-7");
}

TEST(Comparison, ADefenceAddedAfterTrainingIsToldFromTheSameInTraining) {
  auto added = run("an", 0.8, {});
  added.record.config["model_from"] = "out/none";
  auto trained = run("an", 0.9, {});
  trained.record.config["model_from"] = "";
  const auto c = compare({trained, added});
  EXPECT_EQ(c.rows[0].label, "an");
  EXPECT_EQ(c.rows[1].label, "an, added after training");
}

TEST(Comparison, JsonHasNullWhereNothingWasMeasured) {
  const auto document = to_json(compare({run("none", NAN, {attack("ka", "input", 0.5)}), run("an", 0.9, {})}));
  EXPECT_EQ(document["attacks"][0]["measure"], "ssim");
  EXPECT_TRUE(document["runs"][0]["accuracy"].is_null());
  EXPECT_EQ(document["runs"][0]["leakage"][0]["value"], 0.5);
  EXPECT_EQ(document["runs"][0]["leakage"][0]["strongest"], true);
  EXPECT_TRUE(document["runs"][1]["leakage"][0]["value"].is_null());
}

TEST(Table, AlignsItsColumns) {
  const std::string text =
      render_table({run("none", 0.912, {attack("ka", "input", 0.5), attack("pmc", "prediction", 0.72)}),
                    run("infoscissors(input=0.2)", 0.9, {attack("ka", "input", 0.25)})});
  EXPECT_EQ(text,
            "                                          ka         pmc\n"
            "                         device's  black-box   black-box\n"
            "defence                  accuracy       SSIM    Accuracy\n"
            "none                       91.2 %      0.500*     72.0 %*\n"
            "infoscissors(input=0.2)    90.0 %      0.250*          -\n"
            "* the strongest attack of its kind on that run; higher SSIM or accuracy of an attack is more leakage\n");
}

TEST(Table, WithoutAttacksNeedsNoLegend) {
  EXPECT_EQ(render_table({run("none", 0.912, {})}),
            "         device's\n"
            "defence  accuracy\n"
            "none       91.2 %\n");
}

TEST(Ticks, AreRoundAndCoverTheRange) {
  EXPECT_THAT(nice_ticks(0.03, 0.97, 4), Pointwise(DoubleNear(1e-12), {0.0, 0.5, 1.0}));
  EXPECT_THAT(nice_ticks(0, 10, 5), Pointwise(DoubleNear(1e-12), {0.0, 2.0, 4.0, 6.0, 8.0, 10.0}));
  for (const auto& [low, high] :
       std::vector<std::pair<double, double>>{{-3e7, 1e8}, {1e-9, 2e-9}, {5, 5}, {0, 0}, {-1, -1}}) {
    const auto ticks = nice_ticks(low, high, 4);
    ASSERT_GE(ticks.size(), 2u);
    EXPECT_LE(ticks.size(), 12u);
    EXPECT_LE(ticks.front(), low + 1e-9 * std::abs(low));
    EXPECT_GE(ticks.back(), high - 1e-9 * std::abs(high));
  }
}

TEST(Chart, GapsInterruptTheLine) {
  Chart chart{.title = "t", .x_label = "epoch", .y_label = "y", .series = {{"loss", {1, 2, 3, 4}, {1, 2, NAN, 3}}}};
  const std::string svg = line_chart(chart, "c");
  const auto begin = svg.find("class='line' d='") + 16;
  const std::string path = svg.substr(begin, svg.find('\'', begin) - begin);
  EXPECT_EQ(std::count(path.begin(), path.end(), 'M'), 2);
  EXPECT_EQ(std::count(path.begin(), path.end(), 'L'), 1);
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
  EXPECT_THAT(svg, HasSubstr("loss: from 1 to 3"));
}

TEST(Chart, IsEmptyWithoutAnythingToDraw) {
  EXPECT_EQ(line_chart({.title = "t", .x_label = "x", .y_label = "y", .series = {}}, "c"), "");
  EXPECT_EQ(line_chart({.title = "t", .x_label = "x", .y_label = "y", .series = {{"loss", {1}, {NAN}}}}, "c"), "");
}

TEST(Chart, OnePointIsDrawn) {
  const std::string svg =
      line_chart({.title = "t", .x_label = "x", .y_label = "y", .series = {{"loss", {1}, {0.5}}}}, "c");
  EXPECT_THAT(svg, HasSubstr("<circle"));
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
  EXPECT_THAT(svg, Not(HasSubstr("inf")));
}

TEST(MeasureText, ShowsEachMeasureInItsUnit) {
  EXPECT_EQ(measure_text("accuracy", 0.9), "90.0 %");
  EXPECT_EQ(measure_text("class_accuracy", 1), "100.0 %");
  EXPECT_EQ(measure_text("ssim", 0.12345), "0.123");
  EXPECT_EQ(measure_text("psnr", 16.94), "16.9");
  EXPECT_EQ(measure_text("mse", 0.01234), "0.0123");
  EXPECT_EQ(measure_text("ssim", NAN), "-");
}

}  // namespace
}  // namespace infoscissors::report
