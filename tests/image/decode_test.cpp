#include "infoscissors/base/file.h"
#include "infoscissors/base/npy.h"
#include "infoscissors/image/image.h"
#include "tests/support/expect_error.h"

#include <algorithm>
#include <cstdlib>

namespace infoscissors::image {
namespace {

using testing::HasSubstr;
using tests::message_of;

const std::string kData = INFOSCISSORS_TEST_DATA;

std::string test_name(std::string file) {
  std::replace(file.begin(), file.end(), '.', '_');
  return file;
}

struct Case {
  const char* picture;
  const char* pixels;  // as Pillow decodes them
  int tolerance;
};

class Decode : public testing::TestWithParam<Case> {};

TEST_P(Decode, EqualsPillow) {
  if (!codecs_available()) GTEST_SKIP() << "built without codecs";
  const auto file = fmt::format("{}/{}", kData, GetParam().picture);
  const Image image = decode(base::read_file(file), file);
  const auto golden = base::read_npy(fmt::format("{}/{}.npy", kData, GetParam().pixels));
  ASSERT_EQ(golden.dtype, "|u1");
  ASSERT_EQ((std::vector<std::int64_t>{image.height, image.width, image.channels}), golden.shape);
  ASSERT_EQ(image.pixels.size(), golden.data.size());
  int largest = 0;
  for (std::size_t i = 0; i < image.pixels.size(); ++i) {
    largest = std::max(largest, std::abs(image.pixels[i] - static_cast<unsigned char>(golden.data[i])));
  }
  EXPECT_LE(largest, GetParam().tolerance);
}

INSTANTIATE_TEST_SUITE_P(Pictures, Decode,
                         testing::Values(Case{"rgb.png", "rgb", 0}, Case{"grey.png", "grey", 0},
                                         Case{"palette.png", "palette", 0}, Case{"bits.png", "bits", 0},
                                         Case{"grey16.png", "grey16", 1}, Case{"rgba.png", "rgba", 1},
                                         Case{"colour.jpg", "colour", 2}, Case{"progressive.jpg", "progressive", 2},
                                         Case{"grey_photo.jpg", "grey_photo", 2}),
                         [](const auto& test) { return test_name(test.param.picture); });

class Damaged : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (!codecs_available()) GTEST_SKIP() << "built without codecs";
    bytes_ = base::read_file(fmt::format("{}/{}", kData, GetParam()));
  }
  std::string bytes_;
};

TEST_P(Damaged, EveryTruncationIsAnErrorThatNamesTheFile) {
  // The last bytes are the end marker (JPEG) or the end chunk (PNG); all pixels are there without them.
  const std::size_t harmless = std::string_view(GetParam()).ends_with("png") ? 12 : 2;
  for (std::size_t length = 0; length + harmless < bytes_.size(); length += 7) {
    const auto message = message_of([&] { decode(std::string_view(bytes_).substr(0, length), "some/picture"); });
    EXPECT_THAT(message, HasSubstr("some/picture")) << "cut to " << length << " bytes";
  }
}

TEST_P(Damaged, FlippedBytesNeverDoHarm) {
  for (std::size_t at = 8; at < bytes_.size(); at += 3) {
    std::string damaged = bytes_;
    damaged[at] = static_cast<char>(~damaged[at]);
    try {
      const Image image = decode(damaged, "picture");
      EXPECT_EQ(image.pixels.size(), static_cast<std::size_t>(image.width * image.height * image.channels));
    } catch (const base::Error& error) {
      EXPECT_THAT(error.what(), HasSubstr("picture"));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Pictures, Damaged, testing::Values("rgb.png", "palette.png", "colour.jpg", "progressive.jpg"),
                         [](const auto& test) { return test_name(test.param); });

TEST(DecodeErrors, RefusesWhatItCannotRead) {
  if (!codecs_available()) GTEST_SKIP() << "built without codecs";
  EXPECT_THAT(message_of([] { decode("GIF89a...", "a.gif"); }), HasSubstr("a.gif: neither a PNG nor a JPEG"));
  EXPECT_THAT(message_of([] { decode("", "empty"); }), HasSubstr("empty"));
  const auto cmyk = base::read_file(kData + "/cmyk.jpg");
  EXPECT_THAT(message_of([&] { decode(cmyk, "c.jpg"); }), HasSubstr("c.jpg: a JPEG with 4 colour components"));
}

TEST(DecodeErrors, RefusesGiantSizesBeforeAllocating) {
  if (!codecs_available()) GTEST_SKIP() << "built without codecs";
  // 65,000 x 65,000 pixels announced in the frame header of an otherwise valid JPEG.
  std::string jpeg = base::read_file(kData + "/colour.jpg");
  const auto frame = jpeg.find("\xff\xc0");
  ASSERT_NE(frame, std::string::npos);
  jpeg.replace(frame + 5, 4, "\xfd\xe8\xfd\xe8");
  EXPECT_THAT(message_of([&] { decode(jpeg, "big.jpg"); }), HasSubstr("big.jpg: 65000x65000 pixels"));
}

TEST(EncodePng, RoundTrips) {
  if (!codecs_available()) GTEST_SKIP() << "built without codecs";
  for (const std::int64_t channels : {1, 3}) {
    Image image{.width = 5, .height = 3, .channels = channels, .pixels = {}};
    for (std::int64_t i = 0; i < 15 * channels; ++i) image.pixels.push_back(static_cast<std::uint8_t>(i * 5));
    const Image again = decode(encode_png(image), "again");
    EXPECT_EQ(again.width, 5);
    EXPECT_EQ(again.height, 3);
    EXPECT_EQ(again.channels, channels);
    EXPECT_EQ(again.pixels, image.pixels);
  }
}

TEST(EncodePng, RefusesInconsistentImages) {
  if (!codecs_available()) GTEST_SKIP() << "built without codecs";
  EXPECT_THAT(message_of([] {
                encode_png({.width = 2, .height = 2, .channels = 2, .pixels = {1, 2, 3, 4, 5, 6, 7, 8}});
              }),
              HasSubstr("1 or 3 channels"));
  EXPECT_THAT(message_of([] { encode_png({.width = 2, .height = 2, .channels = 1, .pixels = {1}}); }),
              HasSubstr("1 pixel"));
  EXPECT_THAT(message_of([] { encode_png({.width = 0, .height = 2, .channels = 1, .pixels = {}}); }), HasSubstr("0x2"));
}

TEST(NoCodecs, SaysWhatIsMissing) {
  if (codecs_available()) GTEST_SKIP() << "built with codecs";
  EXPECT_THAT(message_of([] { decode("", "a.png"); }), HasSubstr("a.png"));
  EXPECT_THAT(message_of([] { encode_png({}); }), HasSubstr("codecs"));
  EXPECT_THAT(message_of([] { gunzip("", 1, "a.gz"); }), HasSubstr("codecs"));
}

}  // namespace
}  // namespace infoscissors::image
