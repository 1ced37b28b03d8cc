#include "infoscissors/figure/figures.h"

#include "infoscissors/base/file.h"
#include "infoscissors/base/npy.h"
#include "tests/figure/fixture.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"

#include <cmath>
#include <cstdlib>
#include <set>

namespace infoscissors::figure {
namespace {

using base::UsageError;
using testing::HasSubstr;
using tests::message_of;
using tests::TemporaryDirectory;

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t times = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++times;
  return times;
}

std::vector<std::string> names(const Panel& panel) {
  std::vector<std::string> list;
  for (const auto& series : panel.series) list.push_back(series.name);
  return list;
}

TEST(Format, FollowsTheFilesEnding) {
  EXPECT_EQ(format_of("a/b.svg"), Format::svg);
  EXPECT_EQ(format_of("b.pdf"), Format::pdf);
  EXPECT_EQ(format_of("b.png"), Format::png);
  EXPECT_EQ(message_of<UsageError>([] { format_of("b.jpg"); }), "b.jpg: a figure is written as .svg, .pdf or .png");
}

TEST(Style, TellsEveryFamilyApart) {
  std::set<std::string> colours, dashes;
  std::set<int> markers;
  for (const char* family : {"none", "infoscissors", "an", "an-adv", "cem", "dc", "dp", "dropout", "mid", "nopeek",
                             "ppdl", "ridge", "shredder"}) {
    const auto style = style_of(family);
    EXPECT_TRUE(colours.insert(style.colour).second) << family;
    EXPECT_TRUE(markers.insert(style.marker).second) << family;
    if (style.dashes != "solid") {
      EXPECT_TRUE(dashes.insert(style.dashes).second) << family;
    }
  }
  EXPECT_EQ(style_of("an+dp").colour, style_of("an+dp").colour);
}

// What gnuplot reads from names must stay text: `system` and backquotes run programs.
TEST(Quoted, KeepsTextText) {
  EXPECT_EQ(quoted("it's `id`\n@x"), "'it''s `id` @x'");
}

TEST(Draw, TreatsNamesAsText) {
  const TemporaryDirectory directory;
  const auto file = (directory / "made").string();
  const std::string name = "'; system(\"touch " + file + "\"); `touch " + file + "`\nsystem('touch " + file + "') #";
  const Plot plot{{{name, name, name, false, {{name, name, {{1, 2, {}, {}}}}}}}, 1, {}};
  const auto svg = draw(plot, Format::svg);
  EXPECT_FALSE(std::filesystem::exists(file));
  EXPECT_THAT(svg, HasSubstr("`touch"));
}

TEST(Draw, WritesEveryFormat) {
  const auto plot = reconstruction_plot(fabricated_study(), {});
  EXPECT_EQ(draw(plot, Format::svg).substr(0, 5), "<?xml");
  EXPECT_EQ(draw(plot, Format::pdf).substr(0, 5), "%PDF-");
  EXPECT_EQ(draw(plot, Format::png).substr(1, 3), "PNG");
}

TEST(Draw, SaysWhatGnuplotSays) {
  EXPECT_THAT(message_of([] {
                draw("plot nonsense(", {100, 100}, Format::svg);
              }),
              HasSubstr("gnuplot cannot draw the figure: "));
}

TEST(Draw, SaysThatGnuplotIsMissing) {
  const TemporaryDirectory empty;
  const std::string before = std::getenv("PATH");
  ::setenv("PATH", empty.path().c_str(), 1);
  const auto message = message_of([] { draw("plot x", {100, 100}, Format::svg); });
  ::setenv("PATH", before.c_str(), 1);
  EXPECT_EQ(message, "figures are drawn by gnuplot, which was not found: install gnuplot-nox");
}

TEST(Figure4, HasAPanelForEachAttackAndASeriesForEachDefence) {
  const auto plot = reconstruction_plot(fabricated_study(), {});
  ASSERT_EQ(plot.panels.size(), 2U);
  EXPECT_EQ(plot.panels[0].title, "ka");
  EXPECT_EQ(plot.panels[1].title, "rmle");
  EXPECT_EQ(names(plot.panels[0]), (std::vector<std::string>{"none", "infoscissors", "an", "mid"}));
  EXPECT_EQ(plot.panels[0].series[1].points.size(), 3U);
  EXPECT_THAT(plot.caption, HasSubstr("2000 resamples, seed 0"));
  EXPECT_THAT(plot.caption, HasSubstr("strongest of ka(budget=40,decoder=conv)"));
}

TEST(Figure4, ShowsMeansWithinTheirSpread) {
  const auto study = fabricated_study();
  const auto plot = reconstruction_plot(study, {});
  const auto& point = plot.panels[1].series[0].points.front();  // none, rmle
  double accuracy = 0;
  for (const auto& row : study.rows) {
    if (row.spec == "none" && row.attack.empty() && row.metric == "accuracy") accuracy += 100 * row.value / 3;
  }
  EXPECT_NEAR(point.y, accuracy, 1e-9);
  EXPECT_LT(point.y_spread.low, point.y);
  EXPECT_GT(point.y_spread.high, point.y);
}

TEST(Figure4, TakesTheStrongestOfSeveralSpecs) {
  FigureOptions one;
  one.choice.attacks = {"ka(budget=4000,decoder=res)"};
  const auto all = reconstruction_plot(fabricated_study(), {});
  const auto strongest = reconstruction_plot(fabricated_study(), one);
  EXPECT_DOUBLE_EQ(all.panels[0].series[1].points[1].x, strongest.panels[0].series[1].points[1].x);
}

TEST(Figure4, DrawsWhatItShows) {
  const auto drawing = draw_figure("4", fabricated_study(), {}, Format::svg);
  for (const char* text :
       {">ka<", ">rmle<", ">infoscissors<", ">an<", ">mid<", ">none<", ">Accuracy of the device, %<"})
    EXPECT_THAT(drawing.bytes, HasSubstr(text));
  EXPECT_EQ(count(drawing.bytes, "<svg"), 1U);
  EXPECT_EQ(count(drawing.bytes, "</svg>"), 1U);
  EXPECT_THAT(drawing.bytes, HasSubstr("fill-opacity"));  // the bands
  EXPECT_EQ(drawing.bytes.find("<script"), std::string::npos);
}

TEST(Figure5, HasAPanelForEachHead) {
  const auto plot = inference_plot(fabricated_study(), {});
  ASSERT_EQ(plot.panels.size(), 2U);
  EXPECT_EQ(plot.panels[0].title, "pmc, mlp");
  EXPECT_EQ(plot.panels[1].title, "pmc, mlp-sim");
  EXPECT_GT(plot.panels[0].series[0].points.front().x, 50);  // per cent
}

TEST(Figure7, ShowsWhatProtectsBothAndItsRange) {
  const auto plot = both_plot(fabricated_study(), {});
  ASSERT_EQ(plot.panels.size(), 2U);
  EXPECT_EQ(names(plot.panels[0]), (std::vector<std::string>{"none", "infoscissors"}));
  const auto& point = plot.panels[0].series[1].points.front();
  EXPECT_LT(point.x_spread.low, point.x_spread.high);
  EXPECT_THAT(plot.caption, HasSubstr("shaded is the range"));
}

TEST(Budget, HasAPanelForEachNetworkOfTheAttacker) {
  const auto plot = budget_plot(fabricated_study(), {});
  ASSERT_EQ(plot.panels.size(), 2U);
  EXPECT_EQ(plot.panels[0].title, "ka, conv");
  EXPECT_TRUE(plot.panels[0].log_x);
  ASSERT_EQ(plot.panels[0].series.size(), 4U);
  const auto& points = plot.panels[0].series[1].points;
  ASSERT_EQ(points.size(), 3U);
  EXPECT_EQ(points.front().x, 40);
  EXPECT_LT(points.front().y, points.back().y);
  // Within 3 points of accuracy lies the second strength (0.1 * 0.36 = 3.6 points) not, but the first.
  EXPECT_EQ(plot.panels[0].series[1].name, "infoscissors 0.15");
  FigureOptions generous;
  generous.tolerance = 0.2;
  EXPECT_EQ(budget_plot(fabricated_study(), generous).panels[0].series[1].name, "infoscissors 0.6");
}

TEST(Plane, ComparesMidAndInfoScissors) {
  const auto plot = plane_plot(fabricated_study(), {});
  ASSERT_EQ(plot.panels.size(), 3U);
  EXPECT_EQ(names(plot.panels[0]), (std::vector<std::string>{"none", "infoscissors", "mid"}));
  EXPECT_NEAR(plot.panels[0].series[1].points.back().y, 1.7, 1e-9);
  EXPECT_NEAR(plot.panels[0].series[1].points.back().x, 2.7, 1e-9);
}

TEST(Grid, ShowsOriginalsAndReconstructionsWithTheirSsim) {
  const TemporaryDirectory directory;
  store_pictured_run(directory / "a", "none", 1, 50);
  store_pictured_run(directory / "b", "an(scale=0.3)", 1, 120);
  store_pictured_run(directory / "c", "an(scale=0.3)", 2, 120);
  FigureOptions options;
  options.images = 3;
  const auto drawing = draw_figure("3", study::load({directory.path()}), options, Format::svg);
  for (const char* text : {">Originals<", ">none<", ">an 0.3<", ">accuracy 85.0 %<", "data:image/png;base64,"})
    EXPECT_THAT(drawing.bytes, HasSubstr(text));
  EXPECT_EQ(count(drawing.bytes, ">0.52<"), 2U);  // the third image of both rows
  EXPECT_EQ(count(drawing.bytes, ">0.53<"), 0U);
  EXPECT_THAT(drawing.caption, HasSubstr("seed 1"));
}

TEST(Grid, RefusesPicturesThatDoNotFitTheRecord) {
  const TemporaryDirectory directory;
  store_pictured_run(directory / "a", "none", 1, 50);
  base::write_npy(directory / "a/images/ka.npy",
                  {.dtype = "|u1", .shape = {1, 1, 2, 2}, .fortran_order = false, .data = "abcd"});
  EXPECT_THAT(message_of([&] { draw_figure("3", study::load({directory.path()}), {}, Format::svg); }),
              HasSubstr("images/ka.npy: holds 1 images, but the record describes 5"));
  base::write_file(directory / "a/images/ka.npy", "no array");
  EXPECT_THAT(message_of([&] { draw_figure("3", study::load({directory.path()}), {}, Format::svg); }),
              HasSubstr("ka.npy"));
}

TEST(Figures, SayWhatIsMissing) {
  study::Study bare;
  study::Row row;
  row.run = "x";
  row.spec = row.labels.defense = "none";
  row.metric = "accuracy";
  row.value = 0.9;
  bare.rows = {row};
  const auto message = [&](const char* name) {
    return message_of<UsageError>([&] { draw_figure(name, bare, {}, Format::svg); });
  };
  EXPECT_THAT(message("3"), HasSubstr("long tables do not"));
  EXPECT_THAT(message("4"), HasSubstr("figure 4 shows attacks on the input"));
  EXPECT_THAT(message("5"), HasSubstr("figure 5 shows attacks on the prediction"));
  EXPECT_THAT(message("7"), HasSubstr("input and prediction above 0 at once"));
  EXPECT_THAT(message("budget"), HasSubstr("one attack with several budgets"));
  EXPECT_THAT(message("plane"), HasSubstr("infoscissors mi RUN --json >RUN/mi.json"));
  EXPECT_THAT(message("6"), HasSubstr("there is no figure '6': "));
}

}  // namespace
}  // namespace infoscissors::figure
