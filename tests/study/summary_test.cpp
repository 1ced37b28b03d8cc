#include "infoscissors/study/summary.h"

#include "tests/study/fixture.h"
#include "tests/support/expect_error.h"

#include <cmath>

namespace infoscissors::study {
namespace {

using base::UsageError;
using tests::message_of;

void add(std::vector<Row>& rows, const results::RunRecord& record) {
  for (auto& row : rows_of(record, labels_of(record), {}, nullptr)) rows.push_back(std::move(row));
}

// Three seeds of four settings.
std::vector<Row> rows() {
  std::vector<Row> list;
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    const double noise = 0.01 * static_cast<double>(seed);
    add(list, record_of({.defense = "an(scale=3)", .seed = seed, .accuracy = 0.6, .ssim = 0.3}));
    add(list, record_of({.defense = "an(scale=0.3)", .seed = seed, .accuracy = 0.8, .ssim = 0.6 + noise}));
    add(list, record_of({.defense = "infoscissors(input=0.4)", .seed = seed, .accuracy = 0.85, .ssim = 0.2}));
    add(list, record_of({.seed = seed, .accuracy = 0.9 + noise}));
  }
  return list;
}

TEST(Summary, GroupsOverSeedsInOrder) {
  const auto summary = summarise(rows());
  ASSERT_EQ(summary.groups.size(), 4U);
  std::vector<std::string> names;
  for (const auto& group : summary.groups) names.push_back(short_name(group));
  EXPECT_EQ(names, (std::vector<std::string>{"none", "infoscissors 0.4", "an 0.3", "an 3"}));
  EXPECT_EQ(summary.families(), (std::vector<std::string>{"none", "infoscissors", "an"}));
  EXPECT_EQ(summary.places().size(), 1U);
  EXPECT_EQ(summary.places().front().text(), "fashion-mnist, resnet-small x 0.5, h1c3");
  ASSERT_EQ(summary.attacks.size(), 3U);
  EXPECT_EQ(summary.attacks.back().goal, "prediction");
}

// 0.90, 0.91, 0.92: standard error 0.01 / sqrt(3), Student's quantile for 2 degrees 4.30265.
TEST(Summary, GivesMeanAndInterval) {
  const auto summary = summarise(rows());
  const auto mean = mean_of(summary.groups.front().values("", "accuracy"));
  EXPECT_EQ(mean.seeds, 3);
  EXPECT_NEAR(mean.mean, 0.91, 1e-12);
  EXPECT_NEAR(mean.half_width, 4.302652729911275 * 0.01 / std::sqrt(3.0), 1e-9);
  EXPECT_TRUE(std::isnan(mean_of({{0, 0.5}}).half_width));
  EXPECT_TRUE(std::isnan(mean_of({{0, 0.5}, {1, NAN}}).mean));
  EXPECT_EQ(mean_of({}).seeds, 0);
}

TEST(Summary, AveragesAnAttacksSeedsWithinARun) {
  auto record = record_of({});
  auto again = record.attacks.front();
  again.seed = 99;
  again.measures["ssim"] = 0.85;
  results::put_attack(record, again);
  std::vector<Row> list;
  add(list, record);
  const auto summary = summarise(list);
  EXPECT_EQ(leakage(summary.groups.front(), summary.attack("ka(decoder=res)")).seeds, 1);
  EXPECT_NEAR(leakage(summary.groups.front(), summary.attack("ka(decoder=res)")).mean, 0.9, 1e-12);
}

TEST(Summary, KnowsTheStrongestAttack) {
  const auto summary = summarise(rows());
  EXPECT_EQ(strongest(summary, summary.groups.front(), "input")->spec, "rmle");
  EXPECT_EQ(strongest(summary, summary.groups.front(), "prediction")->spec, "pmc(labels=400)");
  const auto fewer = summarise(rows(), {.datasets = {}, .defenses = {}, .attacks = {"ka"}});
  EXPECT_EQ(strongest(fewer, fewer.groups.front(), "input")->spec, "ka(decoder=res)");
  EXPECT_EQ(strongest(fewer, fewer.groups.front(), "prediction"), nullptr);
}

TEST(Summary, KeepsPlacesApart) {
  auto list = rows();
  add(list, record_of({.dataset = "cifar10"}));
  const auto summary = summarise(list);
  EXPECT_EQ(summary.places().size(), 2U);
  EXPECT_EQ(summary.groups.size(), 5U);
  EXPECT_EQ(summarise(list, {.datasets = {"cifar10"}, .defenses = {}, .attacks = {}}).groups.size(), 1U);
}

TEST(Summary, RefusesNamesThatDoNotOccur) {
  const auto list = rows();
  EXPECT_EQ(message_of<UsageError>([&] { summarise(list, {.datasets = {"fashion"}, .defenses = {}, .attacks = {}}); }),
            "there are no results of the data set 'fashion': known are fashion-mnist");
  EXPECT_EQ(message_of<UsageError>([&] { summarise(list, {.datasets = {}, .defenses = {"am"}, .attacks = {}}); }),
            "there are no results of the defence 'am': did you mean 'an'?");
  EXPECT_EQ(message_of<UsageError>([&] { summarise(list, {.datasets = {}, .defenses = {}, .attacks = {"rmel"}}); }),
            "there are no results of the attack 'rmel': did you mean 'rmle'?");
}

TEST(Summary, RefusesTwoRunsThatLookAlike) {
  auto list = rows();
  auto other = record_of({.defense = "an(scale=3)"});
  other.config_hash = "another";
  add(list, other);
  EXPECT_THAT(message_of<UsageError>([&] { summarise(list); }),
              testing::HasSubstr("two runs of an(scale=3) with seed 0"));
}

TEST(Summary, PrintsOneMeanALine) {
  const auto summary = summarise(rows(), {.datasets = {}, .defenses = {"none"}, .attacks = {"rmle"}});
  const auto document = to_json(summary);
  ASSERT_EQ(document.size(), 5U);  // accuracy, cross_entropy, train_seconds; ssim, seconds
  const auto text = to_csv(summary);
  EXPECT_EQ(text.substr(0, text.find('\n')),
            "dataset,backbone,width,cut,defense,spec,strength,attack,goal,view,metric,seeds,mean,half_width");
  EXPECT_THAT(text,
              testing::HasSubstr("fashion-mnist,resnet-small,0.5,h1c3,none,none,,rmle,input,white-box,ssim,3,0.96,"));
}

}  // namespace
}  // namespace infoscissors::study
