#include "infoscissors/image/image.h"
#include "tests/data/support.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"

namespace infoscissors::data {
namespace {

using testing::HasSubstr;
using tests::message_of;

class Folder : public testing::Test {
 protected:
  void SetUp() override {
    if (!image::codecs_available()) GTEST_SKIP() << "built without codecs";
  }
  /// A picture of one colour; the longer side is `width`.
  void picture(const std::string& name, std::vector<std::uint8_t> colour, std::int64_t width = 12) {
    const auto path = directory_ / name;
    std::filesystem::create_directories(path.parent_path());
    image::Image picture{
        .width = width, .height = 10, .channels = static_cast<std::int64_t>(colour.size()), .pixels = {}};
    for (std::int64_t i = 0; i < width * 10; ++i)
      picture.pixels.insert(picture.pixels.end(), colour.begin(), colour.end());
    base::write_file(path, image::encode_png(picture));
  }
  Dataset load(std::int64_t channels = 0) const {
    return load_dataset({.name = "folder", .path = directory_.path().string(), .image_size = 8, .channels = channels});
  }
  std::string error() const {
    return message_of([&] { load(); });
  }
  tests::TemporaryDirectory directory_;
};

TEST_F(Folder, UsesTheGivenDivision) {
  picture("train/dog/1.png", {10, 20, 30});
  picture("train/cat/b.PNG", {40, 50, 60}, 30);
  picture("train/cat/a.png", {70, 70, 70});
  picture("test/cat/1.png", {1, 2, 3});
  picture("test/dog/1.png", {9});
  base::write_file(directory_ / "train/cat/notes.txt", "not a picture");
  base::write_file(directory_ / "train/cat/.hidden.png", "not a picture");
  const Dataset dataset = load();
  EXPECT_EQ(dataset.classes, (std::vector<std::string>{"cat", "dog"}));
  EXPECT_EQ(dataset.official_train, 3);
  EXPECT_EQ(dataset.images.sizes(), (std::vector<std::int64_t>{5, 3, 8, 8}));
  EXPECT_TRUE(dataset.labels.equal(torch::tensor({0, 0, 1, 0, 1}, torch::kInt64)));
  const auto corner = dataset.images.select(3, 0).select(2, 0);
  const auto expected =
      torch::tensor({70, 70, 70, 40, 50, 60, 10, 20, 30, 1, 2, 3, 9, 9, 9}, torch::kUInt8).view({5, 3});
  EXPECT_TRUE(corner.equal(expected));
}

TEST_F(Folder, MakesGreyOnDemandAndKeepsGreyGrey) {
  picture("train/a/1.png", {100});
  picture("train/b/1.png", {200});
  picture("test/a/1.png", {1});
  picture("test/b/1.png", {2});
  EXPECT_EQ(load().images.size(1), 1);
  EXPECT_EQ(load(3).images.size(1), 3);
  picture("test/b/1.png", {100, 200, 50});
  EXPECT_EQ(load().images.size(1), 3);
  const Dataset grey = load(1);
  EXPECT_EQ(grey.images.size(1), 1);
  EXPECT_EQ(grey.images[3][0][0][0].item<int>(), 153);  // .299 * 100 + .587 * 200 + .114 * 50 = 153
}

TEST_F(Folder, DividesByNameSoThatNewPicturesMoveNoOthers) {
  const auto tests_of = [](const Dataset& dataset) {
    std::vector<int> values;
    for (std::int64_t i = dataset.official_train; i < dataset.size(); ++i)
      values.push_back(dataset.images[i][0][0][0].item<int>());
    return values;
  };
  for (int i = 0; i < 60; ++i)
    picture(fmt::format("{}/{}.png", i % 2 == 0 ? "a" : "b", i), {static_cast<std::uint8_t>(i)});
  const auto before = tests_of(load());
  EXPECT_GT(before.size(), 3U);
  EXPECT_LT(before.size(), 30U);
  EXPECT_EQ(tests_of(load()), before);
  for (int i = 100; i < 130; ++i) picture(fmt::format("a/{}.png", i), {static_cast<std::uint8_t>(i)});
  auto after = tests_of(load());
  std::erase_if(after, [](int value) { return value >= 100; });
  EXPECT_EQ(after, before);
}

TEST_F(Folder, NamesWhatIsWrong) {
  EXPECT_THAT(message_of<base::UsageError>([] { load_dataset({.name = "folder"}); }), HasSubstr("[data] path"));
  EXPECT_THAT(message_of([] { load_dataset({.name = "folder", .path = "/nowhere/at/all"}); }),
              HasSubstr("/nowhere/at/all"));
  EXPECT_THAT(error(), HasSubstr("at least 2 classes"));
  picture("a/1.png", {1});
  std::filesystem::create_directory(directory_ / "b");
  EXPECT_THAT(error(), HasSubstr("/b: has no PNG or JPEG"));
  base::write_file(directory_ / "b/1.jpg", "nonsense");
  for (int i = 0; i < 20; ++i) picture(fmt::format("a/{}.png", i), {1});
  EXPECT_THAT(error(), HasSubstr("b/1.jpg: neither a PNG nor a JPEG"));
  base::write_file(directory_ / "b/1.jpg", base::read_file(directory_ / "a/1.png").substr(0, 40));
  EXPECT_THAT(error(), HasSubstr("b/1.jpg: damaged PNG"));
}

TEST_F(Folder, RefusesPartsWithDifferentClasses) {
  picture("train/a/1.png", {1});
  picture("train/b/1.png", {1});
  picture("test/a/1.png", {1});
  picture("test/c/1.png", {1});
  EXPECT_THAT(error(), HasSubstr("different class folders"));
}

}  // namespace
}  // namespace infoscissors::data
