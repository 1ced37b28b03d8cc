#include "infoscissors/base/file.h"
#include "infoscissors/image/image.h"
#include "tests/support/expect_error.h"

namespace infoscissors::image {
namespace {

using testing::HasSubstr;
using tests::message_of;

class Gunzip : public testing::Test {
 protected:
  void SetUp() override {
    if (!codecs_available()) GTEST_SKIP() << "built without codecs";
    for (int i = 0; i < 2000; ++i) text_ += fmt::format("line {}\n", i);
    lines_ = base::read_file(std::string(INFOSCISSORS_TEST_DATA) + "/lines.gz");
  }
  std::string text_, lines_;
};

TEST_F(Gunzip, EqualsPython) {
  EXPECT_EQ(gunzip(lines_, text_.size(), "lines.gz"), text_);
  const auto members = base::read_file(std::string(INFOSCISSORS_TEST_DATA) + "/members.gz");
  EXPECT_EQ(gunzip(members, text_.size(), "members.gz"), text_);
}

TEST_F(Gunzip, KeepsToTheLimit) {
  EXPECT_THAT(message_of([&] { gunzip(lines_, text_.size() - 1, "lines.gz"); }),
              HasSubstr("lines.gz: inflates to more than"));
}

TEST_F(Gunzip, EveryTruncationIsAnError) {
  for (std::size_t length = 0; length < lines_.size(); length += 97) {
    EXPECT_THAT(message_of([&] { gunzip(std::string_view(lines_).substr(0, length), 1 << 20, "cut.gz"); }),
                HasSubstr("cut.gz: truncated"))
        << length;
  }
  const auto last = std::string_view(lines_).substr(0, lines_.size() - 1);
  EXPECT_THAT(message_of([&] { gunzip(last, 1 << 20, "cut.gz"); }), HasSubstr("cut.gz: truncated"));
}

TEST_F(Gunzip, DamageAndStrayBytesAreErrors) {
  EXPECT_THAT(message_of([&] { gunzip(lines_ + "stray", 1 << 20, "stray.gz"); }),
              HasSubstr("stray.gz: not a gzip file, or damaged"));
  EXPECT_THAT(message_of([] { gunzip("plain text, not gzip", 1 << 20, "plain.gz"); }),
              HasSubstr("plain.gz: not a gzip file"));
  std::string damaged = lines_;
  damaged[damaged.size() - 6] = static_cast<char>(~damaged[damaged.size() - 6]);  // in the checksum
  EXPECT_THAT(message_of([&] { gunzip(damaged, 1 << 20, "sum.gz"); }),
              HasSubstr("sum.gz: not a gzip file, or damaged"));
}

}  // namespace
}  // namespace infoscissors::image
