#include "infoscissors/data/info.h"

#include "tests/data/support.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace infoscissors::data {
namespace {

using testing::HasSubstr;

TEST(DescribeDataset, CountsPerClassAndPart) {
  const Dataset dataset = tests::counting_dataset(8, 4, {1, 2, 2});
  const auto description = describe_dataset(dataset, {.auxiliary = 2, .validation = 1});
  EXPECT_EQ(description["shape"], (base::Json{1, 2, 2}));
  EXPECT_EQ(description["train"], 8);
  EXPECT_EQ(description["test"], 4);
  EXPECT_EQ(description["classes"][0], (base::Json{{"name", "class"}, {"train", 3}, {"test", 1}}));
  EXPECT_EQ(description["classes"][2], (base::Json{{"name", "class"}, {"train", 2}, {"test", 2}}));
  EXPECT_EQ(description["splits"], (base::Json{{"train", 5}, {"auxiliary", 2}, {"validation", 1}, {"test", 4}}));
  EXPECT_NEAR(description["mean"][0].get<double>(), 15.5 / 255, 1e-12);  // the pixels are 0 to 31
  EXPECT_THAT(print_description(description), HasSubstr("8 training and 4 test images of 1 x 2 x 2"));
}

TEST(DescribeDataset, SaysWhenTheSplitsDoNotFit) {
  const Dataset dataset = tests::counting_dataset(8, 4, {1, 2, 2});
  const auto description = describe_dataset(dataset, {});
  EXPECT_THAT(description["splits"]["error"].get<std::string>(), HasSubstr("[data] auxiliary = 5000"));
  EXPECT_THAT(print_description(description), HasSubstr("splits: [data] auxiliary = 5000"));
}

TEST(ContactSheet, HasARowForEachClass) {
  const Dataset dataset = tests::counting_dataset(8, 1, {1, 2, 3});  // classes 0, 1, 2, 0, 1, 2, 0, 1, 2
  const auto sheet = contact_sheet(dataset, 4);
  EXPECT_EQ(sheet.width, 4 * 5 + 2);
  EXPECT_EQ(sheet.height, 3 * 4 + 2);
  const auto at = [&](std::int64_t y, std::int64_t x) {
    return sheet.pixels[static_cast<std::size_t>(y * sheet.width + x)];
  };
  EXPECT_EQ(at(0, 0), 255);
  EXPECT_EQ(at(2, 2), 0);            // image 0
  EXPECT_EQ(at(3, 4), 5);            // its last pixel
  EXPECT_EQ(at(2, 7), 18);           // image 3
  EXPECT_EQ(at(6, 2), 6);            // image 1, second row
  EXPECT_EQ(at(2, 2 + 3 * 5), 255);  // a class with only three images
}

}  // namespace
}  // namespace infoscissors::data
