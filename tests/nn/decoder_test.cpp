#include "infoscissors/nn/decoder.h"

#include "infoscissors/base/error.h"

#include <gtest/gtest.h>

namespace infoscissors::nn {
namespace {

TEST(Decoder, EveryFamilyMakesImagesInRangeFromAnything) {
  const torch::NoGradGuard no_grad;
  for (const auto& family : decoder_families()) {
    for (const Shape& input : {Shape{8, 28, 28}, Shape{16, 7, 7}, Shape{5, 9, 3}, Shape{64}}) {
      for (const Shape& image : {Shape{1, 28, 28}, Shape{3, 28, 30}}) {
        SCOPED_TRACE(family + " from " + to_string(input) + " to " + to_string(image));
        const auto decoder = make_decoder(family, input, image, 4);
        auto sizes = input;
        sizes.insert(sizes.begin(), 2);
        const auto made = decoder->forward(torch::randn(sizes) * 10);
        EXPECT_EQ(made.sizes().slice(1).vec(), image);
        EXPECT_GE(made.min().item<float>(), 0.0F);
        EXPECT_LE(made.max().item<float>(), 1.0F);
      }
    }
  }
}

TEST(Decoder, RefusesUnknownFamiliesAndTargetsThatAreNoImages) {
  EXPECT_THROW(make_decoder("con", {8, 28, 28}, {1, 28, 28}, 4), base::UsageError);
  EXPECT_THROW(make_decoder("conv", {8, 28, 28}, {10}, 4), base::UsageError);
}

TEST(Standardiser, HidesTheScaleOfWhatIsExposed) {
  const auto map = make_standardiser({3, 5, 5});
  const auto vector = make_standardiser({7});
  const auto r = torch::randn({16, 3, 5, 5}), v = torch::randn({16, 7});
  // Down to a thousandth, where batch norm's epsilon is still small beside the variance: 1e-5 against 1e-2.
  EXPECT_TRUE(torch::allclose(map->forward(r), map->forward(r * 0.1 + 3), 1e-2, 1e-2));
  EXPECT_TRUE(torch::allclose(vector->forward(v), vector->forward(v * 0.1 - 2), 1e-2, 1e-2));
}

}  // namespace
}  // namespace infoscissors::nn
