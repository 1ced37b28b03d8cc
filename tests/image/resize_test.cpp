#include "infoscissors/base/npy.h"
#include "infoscissors/image/image.h"
#include "tests/support/expect_error.h"

#include <cmath>
#include <cstring>

namespace infoscissors::image {
namespace {

using testing::HasSubstr;
using tests::message_of;

base::NpyArray golden(const std::string& name) {
  return base::read_npy(fmt::format("{}/{}.npy", INFOSCISSORS_TEST_DATA, name));
}

Image input() {
  const auto array = golden("resize_input");
  Image image{.width = array.shape[1], .height = array.shape[0], .channels = array.shape[2], .pixels = {}};
  image.pixels.assign(array.data.begin(), array.data.end());
  return image;
}

// Rounding to 8 bits allows half a step.
void expect_near(const Image& image, const base::NpyArray& expected) {
  ASSERT_EQ((std::vector<std::int64_t>{image.height, image.width, image.channels}), expected.shape);
  ASSERT_EQ(expected.data.size(), image.pixels.size() * sizeof(float));
  for (std::size_t i = 0; i < image.pixels.size(); ++i) {
    float value = 0;
    std::memcpy(&value, expected.data.data() + i * sizeof value, sizeof value);
    EXPECT_NEAR(image.pixels[i], value, 0.502) << "value " << i;
  }
}

TEST(Resize, DownEqualsExactAreaAverages) {
  expect_near(resize_and_crop(input(), 8), golden("resize_down"));
}

TEST(Resize, UpEqualsPyTorchBilinear) {
  expect_near(resize_and_crop(input(), 40), golden("resize_up"));
}

TEST(Resize, KeepsAnImageOfTheRightSize) {
  Image image{.width = 2, .height = 2, .channels = 1, .pixels = {1, 2, 3, 4}};
  EXPECT_EQ(resize_and_crop(image, 2).pixels, image.pixels);
}

TEST(Resize, CutsTheMiddle) {
  const Image tall{.width = 1, .height = 5, .channels = 1, .pixels = {10, 20, 30, 40, 50}};
  EXPECT_EQ(resize_and_crop(tall, 1).pixels, std::vector<std::uint8_t>{30});
  const Image broad{.width = 5, .height = 1, .channels = 1, .pixels = {10, 20, 30, 40, 50}};
  EXPECT_EQ(resize_and_crop(broad, 1).pixels, std::vector<std::uint8_t>{30});
}

TEST(Resize, TakesExtremeShapesWithoutMuchMemory) {
  const std::int64_t length = 1 << 22;
  const Image line{.width = 1, .height = length, .channels = 1, .pixels = std::vector<std::uint8_t>(length, 7)};
  const Image square = resize_and_crop(line, 32);
  EXPECT_EQ(square.pixels, std::vector<std::uint8_t>(32 * 32, 7));
}

TEST(Resize, RefusesNonsense) {
  EXPECT_THAT(message_of([] { resize_and_crop({}, 8); }), HasSubstr("cannot be resized"));
  EXPECT_THAT(message_of([] { resize_and_crop({.width = 1, .height = 1, .channels = 1, .pixels = {1}}, 0); }),
              HasSubstr("not 0"));
  EXPECT_THAT(message_of([] { resize_and_crop({.width = 9, .height = 9, .channels = 3, .pixels = {1}}, 4); }),
              HasSubstr("9x9x3"));
}

}  // namespace
}  // namespace infoscissors::image
