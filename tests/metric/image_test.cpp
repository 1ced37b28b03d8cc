#include "infoscissors/metric/image.h"

#include "infoscissors/base/error.h"
#include "infoscissors/base/json.h"
#include "infoscissors/tensor/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

namespace infoscissors::metric {
namespace {

const std::filesystem::path kData = INFOSCISSORS_TEST_DATA;

struct Pair {
  torch::Tensor a, b;
};

Pair load_pair(const std::string& name) {
  const auto load = [&](const char* side) {
    return tensor::load_npy(kData / (name + "_" + side + ".npy")).to(torch::kFloat32) / 255;
  };
  return {load("a"), load("b")};
}

template <class Call>
std::string message_of(Call call) {
  try {
    call();
  } catch (const base::Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(ImageMetrics, EqualScikitImage) {
  const auto golden = base::read_json(kData / "golden.json").at("images");
  ASSERT_EQ(golden.size(), 8U);
  for (const auto& [name, values] : golden.items()) {
    const auto [a, b] = load_pair(name);
    const auto similarity = ssim(a, b), error = mse(a, b), ratio = psnr(a, b);
    ASSERT_EQ(similarity.size(0), static_cast<std::int64_t>(values.size())) << name;
    for (std::int64_t i = 0; i < similarity.size(0); ++i) {
      const auto& expected = values[static_cast<std::size_t>(i)];
      EXPECT_NEAR(similarity[i].item<double>(), expected["ssim"].get<double>(), 1e-5) << name << " " << i;
      EXPECT_NEAR(error[i].item<double>(), expected["mse"].get<double>(), 1e-7) << name << " " << i;
      const double decibels = std::stod(expected["psnr"].get<std::string>());
      if (std::isinf(decibels)) {
        EXPECT_EQ(ratio[i].item<double>(), decibels) << name << " " << i;
      } else {
        EXPECT_NEAR(ratio[i].item<double>(), decibels, 1e-4) << name << " " << i;
      }
    }
  }
}

TEST(ImageMetrics, IdenticalImagesAreExactlyAlike) {
  const auto images = load_pair("colour").a;
  EXPECT_TRUE(torch::allclose(ssim(images, images), torch::ones(3), 0, 1e-6));
  EXPECT_TRUE(mse(images, images).eq(0).all().item<bool>());
  EXPECT_TRUE(psnr(images, images).isinf().all().item<bool>());
}

TEST(ImageMetrics, DoNotDependOnLayoutNorOnTheRestOfTheBatch) {
  const auto [a, b] = load_pair("colour");
  const auto whole = ssim(a, b);
  const auto last = ssim(a.contiguous(torch::MemoryFormat::ChannelsLast), b.flip(0).flip(0));
  EXPECT_TRUE(torch::equal(whole, last));
  EXPECT_FLOAT_EQ(ssim(a.slice(0, 1, 2), b.slice(0, 1, 2)).item<float>(), whole[1].item<float>());
  EXPECT_FALSE(ssim(a.clone().requires_grad_(), b).requires_grad());
}

TEST(ImageMetrics, AWindowLargerThanTheImageIsAnError) {
  const auto small = torch::zeros({1, 1, 10, 28});
  EXPECT_THAT(message_of([&] { ssim(small, small); }), testing::HasSubstr("at least 11x11"));
  EXPECT_NO_THROW(mse(small, small));
}

TEST(ImageMetrics, WrongInputIsNamed) {
  const auto image = torch::zeros({2, 1, 16, 16});
  EXPECT_THAT(message_of([&] { ssim(image, image.slice(0, 0, 1)); }),
              testing::HasSubstr("(2, 1, 16, 16) and (1, 1, 16, 16)"));
  EXPECT_THAT(message_of([&] { mse(image[0], image[0]); }), testing::HasSubstr("(B, C, H, W)"));
  EXPECT_THAT(message_of([&] { psnr(image.slice(0, 0, 0), image.slice(0, 0, 0)); }),
              testing::HasSubstr("at least one pixel"));
  EXPECT_THAT(message_of([&] { ssim(image.to(torch::kUInt8), image); }), testing::HasSubstr("floating point"));
  EXPECT_THAT(message_of([&] { ssim(torch::Tensor(), image); }), testing::HasSubstr("missing"));
}

}  // namespace
}  // namespace infoscissors::metric
