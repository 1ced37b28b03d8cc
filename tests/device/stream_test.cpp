#include "infoscissors/device/stream.h"

#include "infoscissors/image/image.h"

#include "tests/support/expect_error.h"

#include <gtest/gtest.h>

#include <sstream>

namespace infoscissors::device {
namespace {

using ::testing::HasSubstr;
using tests::message_of;

std::string png(std::uint8_t value) {
  return image::encode_png({.width = 3, .height = 2, .channels = 1, .pixels = std::vector<std::uint8_t>(6, value)});
}

/// A JPEG's skeleton: a segment that holds an end marker of its own, compressed data with a stuffed byte and a restart
/// marker, a second scan.
std::string jpeg() {
  using namespace std::string_literals;
  return "\xff\xd8\xff\xe0\x00\x06\xff\xd9zz\xff\xda\x00\x02"s
         "ab\xff\x00"s
         "c\xff\xd0"s
         "d\xff\xff\xda\x00\x02"s
         "e\xff\xd9"s;
}

std::vector<std::string> all(const std::string& bytes) {
  std::istringstream in(bytes);
  PictureStream stream(in, "stdin");
  std::vector<std::string> pictures;
  while (auto picture = stream.next()) pictures.push_back(*picture);
  return pictures;
}

TEST(PictureStream, FindsWhereEachPictureEnds) {
  EXPECT_EQ(all(png(1) + jpeg() + jpeg() + png(2)), (std::vector<std::string>{png(1), jpeg(), jpeg(), png(2)}));
  EXPECT_TRUE(all("").empty());
  EXPECT_EQ(image::decode(all(png(1) + png(7))[1], "x").pixels[0], 7);
}

TEST(PictureStream, RefusesWhatIsCutShort) {
  for (const auto& whole : {png(1), jpeg()}) {
    for (std::size_t length = 1; length < whole.size(); ++length) {
      EXPECT_THAT(message_of([&] { all(jpeg() + whole.substr(0, length)); }),
                  HasSubstr("stdin: picture 2: is cut short"))
          << length;
    }
  }
}

TEST(PictureStream, RefusesOtherFormats) {
  EXPECT_THAT(message_of([] { all("GIF89a"); }), HasSubstr("picture 1: begins like neither PNG nor JPEG"));
  EXPECT_THAT(message_of([] { all(png(1) + "\n"); }), HasSubstr("picture 2: begins like neither"));
  EXPECT_THAT(message_of([] { all("\xff\xe0"); }), HasSubstr("begins like neither"));
  EXPECT_THAT(message_of([] { all(std::string("\xff\xd8\xff\xe0\x00\x01", 6)); }),
              HasSubstr("impossible JPEG segment"));
  EXPECT_THAT(message_of([] { all("\xff\xd8zz"); }), HasSubstr("marker was expected"));
}

TEST(PictureStream, TakesNoMemoryForWhatAHeaderClaims) {
  EXPECT_THAT(message_of([] { all(std::string("\x89PNG\r\n\x1a\n\xff\xff\xff\xf0tEXt", 16)); }),
              HasSubstr("larger than is accepted"));
  EXPECT_THAT(message_of([] { all(std::string("\x89PNG\r\n\x1a\n\x03\xff\x00\x00tEXt", 16)); }),
              HasSubstr("cut short"));
}

}  // namespace
}  // namespace infoscissors::device
