#include "infoscissors/study/table.h"

#include "tests/study/fixture.h"
#include "tests/support/expect_error.h"

#include <cmath>

namespace infoscissors::study {
namespace {

using base::UsageError;
using testing::HasSubstr;
using tests::message_of;

Summary summary_of(const std::vector<Fabricated>& runs) {
  std::vector<Row> list;
  for (const auto& wanted : runs) {
    const auto record = record_of(wanted);
    for (auto& row : rows_of(record, labels_of(record), {}, nullptr)) list.push_back(std::move(row));
  }
  return summarise(list);
}

Summary two_seeds() {
  return summary_of({{.seed = 0, .accuracy = 0.9},
                     {.seed = 1, .accuracy = 0.92},
                     {.defense = "an(scale=0.3)", .seed = 0, .accuracy = 0.8, .ssim = 0.5},
                     {.defense = "an(scale=0.3)", .seed = 1, .accuracy = 0.8, .ssim = 0.5},
                     {.defense = "mid", .seed = 0, .accuracy = 0.7, .ssim = 0.4}});
}

TEST(LeakageTable, ShowsMeansAndTheStrongestAttack) {
  const auto table = leakage_table(two_seeds());
  ASSERT_EQ(table.lines.size(), 3U);
  const auto text = to_markdown(table);
  // 0.91 +- 12.706 * 0.01: Student's quantile for one degree.
  EXPECT_THAT(text, HasSubstr("| none    |          |     2 | 91.0 +- 12.7 % | 0.960 +- 0.000 rmle \\* |"));
  EXPECT_THAT(text, HasSubstr("| mid     |    0.001 |     1 |         70.0 % |          0.410 rmle \\* |"));
  EXPECT_THAT(text, HasSubstr("fashion-mnist, resnet-small x 0.5, h1c3"));
}

TEST(LeakageTable, MarksTheParetoFront) {
  const auto table = leakage_table(summary_of({{.accuracy = 0.9, .ssim = 0.9},
                                               {.defense = "an(scale=0.3)", .accuracy = 0.8, .ssim = 0.7},
                                               {.defense = "mid", .accuracy = 0.7, .ssim = 0.8},
                                               {.defense = "dc", .accuracy = 0.6, .ssim = 0.1}}));
  std::vector<bool> marked;
  for (const auto& line : table.lines) marked.push_back(line[4].ends_with(" *"));
  EXPECT_EQ(marked, (std::vector<bool>{true, true, true, false}));  // none, an, dc, mid
}

TEST(LeakageTable, SaysWhereAnAttackLacksSeeds) {
  std::vector<Row> list;
  for (std::uint64_t seed = 0; seed < 2; ++seed) {
    auto record = record_of({.seed = seed});
    if (seed == 1) record.attacks.pop_back();
    for (auto& row : rows_of(record, labels_of(record), {}, nullptr)) list.push_back(std::move(row));
  }
  EXPECT_EQ(leakage_table(summarise(list)).lines.front().back(), "80.0 % (n=1)");
}

TEST(LeakageTable, NamesTheDataSetWhereThereAreSeveral) {
  const auto text = to_markdown(leakage_table(summary_of({{}, {.dataset = "cifar10"}})));
  EXPECT_THAT(text, HasSubstr("| Data set      | Defence |"));
  EXPECT_THAT(text, HasSubstr("| cifar10       | none    |"));
}

TEST(LeakageTable, ShowsTheSpecWhereStrengthsDoNotTellApart) {
  const auto text = to_markdown(
      leakage_table(summary_of({{.defense = "an(scale=0.3)"}, {.defense = "an(scale=0.3,noise=laplace)"}})));
  EXPECT_THAT(text, HasSubstr("| an(scale=0.3,noise=laplace) |      0.3 |"));
}

TEST(Print, EscapesForLatex) {
  const Table table{{{"A_b"}, {"C", true}}, {{"50 % & {x} # \\ ~", "1 +- 2"}}, {"note"}};
  EXPECT_EQ(to_latex(table),
            "% note\n\\begin{tabular}{lr}\n\\toprule\nA\\_b & C \\\\\n\\midrule\n"
            "50 \\% \\& \\{x\\} \\# \\textbackslash{} \\~{} & 1 $\\pm$ 2 \\\\\n\\bottomrule\n\\end{tabular}\n");
}

TEST(Print, EscapesForMarkdownAndCsv) {
  const Table table{{{"A"}, {"B", true}}, {{"a|b", "1,5"}}, {}};
  EXPECT_EQ(to_markdown(table), "| A    |   B |\n|------|----:|\n| a\\|b | 1,5 |\n");
  EXPECT_EQ(to_csv(table), "A,B\na|b,\"1,5\"\n");
}

// an(scale=0.3) alone: (0.8, 0.51) under rmle, so 0.8 * 0.49 of the unit square.
TEST(Hypervolumes, AreOneNumberACurve) {
  const auto values = hypervolumes(two_seeds());
  ASSERT_EQ(values.size(), 9U);
  for (const auto& value : values) {
    if (value.defense != "an" || value.attack != "rmle") continue;
    EXPECT_NEAR(value.volume.value, 0.8 * 0.49, 1e-12);
    EXPECT_EQ(value.by_seed.size(), 2U);
  }
  const auto text = to_markdown(hypervolume_table(values, {}));
  EXPECT_THAT(text, HasSubstr("| an      |         1 | rmle            |     2 |       0.392 | 0.392 to 0.392 |"));
  EXPECT_THAT(text, HasSubstr("| mid     |         1 | rmle            |     1 |       0.413 |              - |"));
  EXPECT_THAT(text, HasSubstr("2000 resamples, seed 0"));
}

TEST(Hypervolumes, LeaveOutSeedsThatLackAStrength) {
  const auto values = hypervolumes(summary_of({{.defense = "an(scale=0.3)", .seed = 0},
                                               {.defense = "an(scale=0.3)", .seed = 1},
                                               {.defense = "an(scale=3)", .seed = 1}}));
  ASSERT_EQ(values.size(), 3U);
  EXPECT_EQ(values.front().by_seed.size(), 1U);
  EXPECT_TRUE(values.front().by_seed.contains(1));
}

TEST(Compare, PairsSpecsBySeed) {
  const auto list = compare(two_seeds(), "none", "an(scale=0.3)");
  ASSERT_EQ(list.size(), 4U);
  EXPECT_EQ(list.front().measure, "accuracy");
  EXPECT_NEAR(list.front().difference, 0.11, 1e-12);
  EXPECT_EQ(list.front().pairs, 2);
  EXPECT_DOUBLE_EQ(list.front().p, 0.5);
  EXPECT_DOUBLE_EQ(list.front().smallest_p, 0.5);
}

TEST(Compare, ComparesFamiliesByHypervolume) {
  const auto list = compare(two_seeds(), "an", "mid");
  ASSERT_EQ(list.size(), 3U);
  EXPECT_EQ(list.front().measure, "hypervolume");
  EXPECT_EQ(list.front().pairs, 1);
  EXPECT_THAT(to_markdown(comparison_table(list, "an", "mid")), HasSubstr("hypervolume of ka(decoder=res)"));
}

TEST(Compare, RefusesWhatCannotBeCompared) {
  const auto summary = two_seeds();
  EXPECT_THAT(message_of<UsageError>([&] { compare(summary, "an", "mdi"); }),
              HasSubstr("--compare: there are no results of the defence 'mdi': did you mean 'mid'?"));
  EXPECT_THAT(message_of<UsageError>([&] { compare(summary, "an", "an(scale=0.3)"); }),
              HasSubstr("a family and a single strength"));
  const auto apart = summary_of({{.seed = 0}, {.defense = "an(scale=0.3)", .seed = 1}});
  EXPECT_THAT(message_of<UsageError>([&] { compare(apart, "none", "an"); }),
              HasSubstr("have no seed and attack in common"));
}

}  // namespace
}  // namespace infoscissors::study
