#include "infoscissors/study/row.h"

#include "tests/study/fixture.h"
#include "tests/support/expect_error.h"

#include <algorithm>
#include <cmath>

namespace infoscissors::study {
namespace {

using tests::message_of;

std::vector<Row> rows(const Fabricated& wanted) {
  const auto record = record_of(wanted);
  return rows_of(record, labels_of(record), {}, nullptr);
}

TEST(LongTable, HoldsEveryNumberOfARun) {
  const auto list = rows({.defense = "an(scale=0.3)", .seed = 3});
  // accuracy, cross_entropy, train_seconds; ka: ssim, mse, seconds; rmle: ssim, seconds; pmc: accuracy, seconds.
  EXPECT_EQ(list.size(), 10U);
  const auto ka = std::find_if(list.begin(), list.end(),
                               [](const Row& row) { return row.attack == "ka(decoder=res)" && row.metric == "ssim"; });
  ASSERT_NE(ka, list.end());
  EXPECT_EQ(ka->value, 0.95);
  EXPECT_EQ(ka->budget, 400);
  EXPECT_EQ(ka->decoder, "res");
  EXPECT_EQ(ka->goal, "input");
  EXPECT_EQ(ka->attack_seed, 3U);
}

TEST(LongTable, HoldsInformationAndCertificates) {
  const auto record = record_of({});
  results::Certificates certificates;
  certificates.list.resize(1);
  certificates.list.front().name = "fano";
  certificates.list.front().value = 0.5;
  const base::Json information = {{"estimates",
                                   {{{"quantity", "I(r; x)"}, {"estimator", "l1out"}, {"value", 2.5}},
                                    {{"quantity", "I(r; y)"}, {"reason", "cannot be estimated"}}}}};
  const auto list = rows_of(record, labels_of(record), certificates, information);
  ASSERT_EQ(list.size(), 12U);
  EXPECT_EQ(list[10].metric, "I(r; x) l1out");
  EXPECT_EQ(list[10].value, 2.5);
  EXPECT_EQ(list[11].metric, "certificate fano");
}

TEST(LongTable, SurvivesCsvWithEveryDigit) {
  auto list = rows({.defense = "an(scale=0.3,noise=laplace)", .seed = 18446744073709551615U, .accuracy = 0.1 + 0.2});
  list.front().value = NAN;
  list.front().status = "say \"no\",\nnow";
  const auto text = to_csv(list);
  const auto back = from_csv(text, "x.csv");
  ASSERT_EQ(back.size(), list.size());
  EXPECT_EQ(to_csv(back), text);
  EXPECT_EQ(back.front().status, "say \"no\",\nnow");
  EXPECT_TRUE(std::isnan(back.front().value));
  EXPECT_EQ(back[1].labels.seed, 18446744073709551615U);
  EXPECT_EQ(back[1].spec, "an(scale=0.3,noise=laplace)");
  EXPECT_FALSE(back[1].attack_seed.has_value());
}

TEST(LongTable, ColumnsMayStandInAnyOrder) {
  const auto text = to_csv(rows({}));
  const auto head = text.substr(0, text.find('\n'));
  EXPECT_EQ(
      head,
      "run,dataset,backbone,width,cut,defense,spec,strength,seed,status,attack,attack_seed,goal,view,budget,decoder,"
      "metric,value,commit,version");
  const auto back = from_csv(
      "value,extra,metric,version,commit,decoder,budget,view,goal,attack_seed,attack,status,seed,strength,spec,defense,"
      "cut,"
      "width,backbone,dataset,run\r\n0.5,9,accuracy,v,c,,,,,,,complete,4,,none,none,h0c1,1,net,data,hash\r\n",
      "x.csv");
  ASSERT_EQ(back.size(), 1U);
  EXPECT_EQ(back[0].value, 0.5);
  EXPECT_EQ(back[0].run, "hash");
  EXPECT_EQ(back[0].labels.seed, 4U);
}

TEST(LongTable, RefusesWhatIsNone) {
  const auto text = to_csv(rows({}));
  const auto head = text.substr(0, text.find('\n') + 1);
  EXPECT_EQ(message_of([] { from_csv("a,b\n1,2\n", "x.csv"); }), "x.csv: is no long table: it has no column 'run'");
  EXPECT_EQ(message_of([&] { from_csv(head + "only,three,cells\n", "x.csv"); }),
            "x.csv:2: has 3 cells, but the header names 20 columns");
  EXPECT_EQ(message_of([&] { from_csv(head + "h,d,b,wide,c,d,s,,0,complete,,,,,,,accuracy,1,c,v\n", "x.csv"); }),
            "x.csv:2: column 'width' must be a number, got 'wide'");
  EXPECT_EQ(message_of([&] { from_csv(head + "h,d,b,1,c,d,s,,-1,complete,,,,,,,accuracy,1,c,v\n", "x.csv"); }),
            "x.csv:2: column 'seed' must be a whole number >= 0, got '-1'");
  EXPECT_EQ(message_of([&] { from_csv(head + "\"h,d\n", "x.csv"); }), "x.csv:2: a quotation mark is not closed");
}

TEST(LongTable, AsJsonHasNullWhereNothingApplies) {
  const auto document = to_json(rows({}));
  EXPECT_TRUE(document[0]["attack"].is_null());
  EXPECT_TRUE(document[0]["strength"].is_null());
  EXPECT_EQ(document[0]["metric"], "accuracy");
  EXPECT_EQ(document[0]["value"], 0.9);
}

}  // namespace
}  // namespace infoscissors::study
