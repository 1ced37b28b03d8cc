#include "infoscissors/attack/fit.h"
#include "infoscissors/attack/sampling.h"
#include "infoscissors/attack/standardize.h"
#include "infoscissors/attack/whiten.h"
#include "infoscissors/base/error.h"
#include "infoscissors/tensor/device.h"
#include "tests/attack/toy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace infoscissors::attack {
namespace {

torch::Tensor draws(const std::vector<std::int64_t>& sizes, std::uint64_t seed) {
  return torch::randn(sizes, tensor::make_generator(torch::kCPU, seed, "test"));
}

torch::Tensor whole(const std::vector<std::int64_t>& values) {
  return torch::tensor(values, torch::kInt64);
}

TEST(Standardizer, GivesEveryChannelMeanZeroAndVarianceOne) {
  auto sample = draws({300, 3, 5, 4}, 1);
  sample.select(1, 0).mul_(1e-12).add_(1e-7);
  sample.select(1, 1).mul_(1e9);
  const Standardizer standard(sample);
  const auto result = standard.live_only(sample);
  ASSERT_EQ(result.sizes(), sample.sizes());
  EXPECT_TRUE(torch::allclose(result.mean({0, 2, 3}), torch::zeros(3), 0, 1e-2));
  EXPECT_TRUE(torch::allclose(result.std({0, 2, 3}, false), torch::ones(3), 0, 1e-2));
}

TEST(Standardizer, RemovesDeadChannelsOrZeroesThem) {
  auto sample = draws({20, 4, 3, 3}, 2);
  sample.select(1, 1).fill_(7.3);
  sample.select(1, 2).zero_();
  const Standardizer standard(sample);
  EXPECT_EQ(standard.live(), 2);
  EXPECT_EQ(standard.dead(), 2);
  EXPECT_EQ(standard.live_only(sample).size(1), 2);
  const auto all = standard.all(sample);
  ASSERT_EQ(all.sizes(), sample.sizes());
  EXPECT_TRUE(all.select(1, 1).eq(0).all().item<bool>());
  EXPECT_TRUE(torch::allclose(all.select(1, 3), standard.live_only(sample).select(1, 1)));
  EXPECT_EQ(Standardizer(torch::full({5, 3}, 0.1)).live(), 0);
}

TEST(Standardizer, TakesVectorsAndIsBlindToScale) {
  const auto sample = draws({40, 6}, 3);
  const auto plain = Standardizer(sample).live_only(sample);
  const auto shrunk = sample * std::ldexp(1.0, -40);
  EXPECT_TRUE(torch::equal(plain, Standardizer(shrunk).live_only(shrunk)));
}

TEST(Standardizer, RefusesWhatHasNoStatistics) {
  EXPECT_THROW(Standardizer(torch::zeros({0, 3})), base::Error);
  EXPECT_THAT(message_of([] { Standardizer(torch::full({4, 2}, std::nan(""))); }), testing::HasSubstr("not finite"));
}

TEST(Whitener, GivesUnitCovarianceAndLeavesOutWhatIsNoDirection) {
  const auto source = draws({400, 3}, 4);
  const auto sample = torch::cat({source, source.sum(1, true), 1e-3 * source.slice(1, 0, 1) + 5}, 1);
  const Whitener whitener(sample);
  EXPECT_EQ(whitener.directions(), 3) << "two of the five columns are mixtures of the others";
  const auto white = whitener.apply(sample);
  EXPECT_TRUE(torch::allclose(white.mean(0), torch::zeros(3), 0, 1e-3));
  EXPECT_TRUE(torch::allclose(white.t().matmul(white) / 400, torch::eye(3), 0, 1e-2));
}

TEST(Sampling, DrawsLabelsAlikeFromEveryClass) {
  const auto view = Toy().black_box();
  const auto chosen = draw_labelled(view, "test", 12);
  ASSERT_EQ(chosen.labels.size(0), 12);
  ASSERT_EQ(chosen.images.size(0), 12);
  EXPECT_TRUE(torch::equal(torch::bincount(chosen.labels), whole({3, 3, 3, 3})));
  EXPECT_TRUE(torch::equal(torch::bincount(chosen.rank), whole({4, 4, 4})));
  for (std::int64_t i = 0; i < 12; ++i) {
    const auto same = (view.auxiliary.images - chosen.images[i]).abs().flatten(1).amax(1).eq(0).nonzero().flatten();
    ASSERT_EQ(same.size(0), 1);
    EXPECT_TRUE(torch::equal(view.auxiliary.labels[same.item<std::int64_t>()], chosen.labels[i]));
  }
}

TEST(Sampling, DrawsDistinctImagesThatDependOnTheSeed) {
  auto view = Toy().black_box();
  view.auxiliary.images = torch::arange(256).to(torch::kFloat32).view({256, 1, 1, 1});
  const auto first = draw_images(view, "test", 100).flatten();
  EXPECT_EQ(std::get<0>(torch::_unique(first)).size(0), 100);
  EXPECT_TRUE(torch::equal(first, draw_images(view, "test", 100).flatten()));
  view.seed = 4;
  EXPECT_FALSE(torch::equal(first, draw_images(view, "test", 100).flatten()));
}

TEST(Sampling, MakesDoWithAClassThatIsRare) {
  auto view = Toy().black_box();
  view.auxiliary.labels = torch::zeros({256}, torch::kInt64);
  view.auxiliary.labels[17] = 2;
  EXPECT_TRUE(torch::equal(torch::bincount(draw_labelled(view, "test", 10).labels, {}, 4), whole({9, 0, 1, 0})));
  view.auxiliary.labels[18] = 4;
  EXPECT_THAT(message_of([&] { draw_labelled(view, "test", 10); }), testing::HasSubstr("label 4, outside [0, 4)"));
}

TEST(BatchStream, VisitsEverySampleOnceAPassAndSkipsASingleLeftOne) {
  BatchStream even(10, 4, tensor::make_generator(torch::kCPU, 1, "test"));
  EXPECT_EQ(even.per_pass(), 3);
  std::vector<torch::Tensor> pass;
  for (int i = 0; i < 3; ++i) pass.push_back(even.next());
  EXPECT_TRUE(torch::equal(std::get<0>(torch::cat(pass).sort()), torch::arange(10)));
  BatchStream odd(9, 4, tensor::make_generator(torch::kCPU, 1, "test"));
  EXPECT_EQ(odd.per_pass(), 2);
  for (int i = 0; i < 6; ++i) EXPECT_EQ(odd.next().size(0), 4);
  BatchStream one(1, 4, tensor::make_generator(torch::kCPU, 1, "test"));
  EXPECT_EQ(one.per_pass(), 1);
  EXPECT_EQ(one.next().size(0), 1);
}

TEST(CosineRate, FallsFromTheRateToZero) {
  EXPECT_DOUBLE_EQ(cosine_rate(0.2, 0, 10), 0.2);
  EXPECT_NEAR(cosine_rate(0.2, 5, 10), 0.1, 1e-12);
  EXPECT_NEAR(cosine_rate(0.2, 10, 10), 0.0, 1e-12);
}

}  // namespace
}  // namespace infoscissors::attack
