#include "infoscissors/data/shuffle.h"
#include "tests/data/support.h"
#include "tests/support/expect_error.h"

#include <cmath>
#include <set>

namespace infoscissors::data {
namespace {

using testing::HasSubstr;
using tests::counting_dataset;

const Dataset kCounting = counting_dataset(1000, 200, {1, 2, 2});
const DataOptions kOptions{.name = "counting", .train = 300, .auxiliary = 200, .validation = 100, .test = 50};

std::set<std::int64_t> set_of(const Split& split) {
  const auto* begin = split.indices.data_ptr<std::int64_t>();
  return {begin, begin + split.indices.numel()};
}

std::string error(DataOptions options) {
  return tests::message_of<base::UsageError>([&] { make_splits(kCounting, options, 1); });
}

TEST(Splits, AreDisjointAndOfTheSizesAskedFor) {
  const Splits splits = make_splits(kCounting, kOptions, 1);
  const auto train = set_of(splits.train), auxiliary = set_of(splits.auxiliary), validation = set_of(splits.validation),
             test = set_of(splits.test);
  EXPECT_EQ(train.size(), 300U);
  EXPECT_EQ(auxiliary.size(), 200U);
  EXPECT_EQ(validation.size(), 100U);
  EXPECT_EQ(test.size(), 50U);
  std::set<std::int64_t> all;
  for (const auto* part : {&train, &auxiliary, &validation, &test}) all.insert(part->begin(), part->end());
  EXPECT_EQ(all.size(), 650U);
  EXPECT_LT(*train.rbegin(), 1000);
  EXPECT_LT(*auxiliary.rbegin(), 1000);
  EXPECT_LT(*validation.rbegin(), 1000);
  EXPECT_GE(*test.begin(), 1000);
  EXPECT_LT(*test.rbegin(), 1200);
}

TEST(Splits, ZeroTakesAllThatIsLeft) {
  DataOptions options = kOptions;
  options.train = options.test = 0;
  const Splits splits = make_splits(kCounting, options, 1);
  EXPECT_EQ(splits.train.indices.numel(), 700);
  EXPECT_TRUE(splits.test.indices.equal(torch::arange(1000, 1200, torch::kInt64)));
}

TEST(Splits, TheAttackersImagesDoNotDependOnTheOtherSizes) {
  const Splits splits = make_splits(kCounting, kOptions, 1);
  DataOptions more = kOptions;
  more.train = 500;
  const Splits larger = make_splits(kCounting, more, 1);
  EXPECT_EQ(larger.auxiliary.hash, splits.auxiliary.hash);
  EXPECT_EQ(larger.validation.hash, splits.validation.hash);
  EXPECT_TRUE(larger.train.indices.slice(0, 0, 300).equal(splits.train.indices));
  more.validation = 250;
  EXPECT_EQ(make_splits(kCounting, more, 1).auxiliary.hash, splits.auxiliary.hash);
  more = kOptions;
  more.auxiliary = 20;
  const Splits fewer = make_splits(kCounting, more, 1);
  EXPECT_EQ(fewer.validation.hash, splits.validation.hash);
  EXPECT_TRUE(fewer.auxiliary.indices.equal(splits.auxiliary.indices.slice(0, 0, 20)));
}

TEST(Splits, ComeFromTheSeedAlone) {
  const Splits once = make_splits(kCounting, kOptions, 1), again = make_splits(kCounting, kOptions, 1),
               other = make_splits(kCounting, kOptions, 2);
  EXPECT_EQ(once.train.hash, again.train.hash);
  EXPECT_TRUE(once.train.indices.equal(again.train.indices));
  EXPECT_NE(once.train.hash, other.train.hash);
  EXPECT_NE(once.auxiliary.hash, other.auxiliary.hash);
  EXPECT_NE(once.test.hash, other.test.hash);
  // Recorded: splits of stored results must stay what they were.
  EXPECT_EQ(once.train.hash, "8511d7f6dd013064d6811c70837b4db8");
  EXPECT_EQ(once.test.hash, "927268baf3a45e265aa988110ebeae68");
}

TEST(Splits, NameTheKeyWhenTooMuchIsAskedFor) {
  DataOptions options = kOptions;
  options.train = 701;
  EXPECT_THAT(error(options), HasSubstr("[data] train must be <= 700"));
  options = kOptions;
  options.auxiliary = 950;
  EXPECT_THAT(error(options), HasSubstr("[data] auxiliary = 950 and validation = 100"));
  options = kOptions;
  options.auxiliary = std::numeric_limits<std::int64_t>::max();
  EXPECT_THAT(error(options), HasSubstr("[data] auxiliary"));
  options = kOptions;
  options.test = 201;
  EXPECT_THAT(error(options), HasSubstr("[data] test must be <= 200"));
  options = kOptions;
  options.validation = -1;
  EXPECT_THAT(error(options), HasSubstr("[data] validation must be >= 0"));
}

TEST(Permutation, IsOne) {
  for (const std::int64_t count : {0, 1, 2, 1000}) {
    const auto order = permutation(count, 3);
    EXPECT_TRUE(std::get<0>(order.sort()).equal(torch::arange(count, torch::kInt64)));
  }
}

// Each of 24 orders of 4 is as likely as the others: chi-squared with 23 degrees of freedom stays below 49.7 in 99.9 %
// of the seeds if so. Says nothing about longer permutations.
TEST(Permutation, IsUniform) {
  std::map<std::vector<std::int64_t>, int> counts;
  constexpr int kDraws = 6000;
  for (int seed = 0; seed < kDraws; ++seed) {
    const auto order = permutation(4, static_cast<std::uint64_t>(seed));
    const auto* values = order.data_ptr<std::int64_t>();
    ++counts[{values, values + 4}];
  }
  EXPECT_EQ(counts.size(), 24U);
  double chi = 0;
  for (const auto& [order, count] : counts) chi += std::pow(count - kDraws / 24.0, 2) / (kDraws / 24.0);
  EXPECT_LT(chi, 49.7);
}

TEST(ChannelStatistics, EqualTheDirectComputation) {
  const Dataset dataset = counting_dataset(3000, 10, {3, 5, 4});
  const auto indices = permutation(3000, 5).slice(0, 0, 2500);
  const auto statistics = channel_statistics(dataset, indices);
  const auto images = dataset.images.index_select(0, indices).to(torch::kFloat64) / 255;
  for (std::int64_t c = 0; c < 3; ++c) {
    const auto channel = images.select(1, c);
    EXPECT_NEAR(statistics.mean[static_cast<std::size_t>(c)], channel.mean().item<double>(), 1e-12);
    EXPECT_NEAR(statistics.std[static_cast<std::size_t>(c)], channel.std(false).item<double>(), 1e-12);
  }
  EXPECT_THROW(channel_statistics(dataset, torch::empty({0}, torch::kInt64)), base::Error);
}

}  // namespace
}  // namespace infoscissors::data
