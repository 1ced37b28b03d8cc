#include "tests/data/support.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"

namespace infoscissors::data {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using tests::message_of;
using tests::records;

std::string lines(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += fmt::format("name{}\n", i);
  return text;
}

class Cifar : public testing::Test {
 protected:
  Cifar() {
    std::filesystem::create_directories(ten_);
    for (int i = 1; i <= 5; ++i) write(ten_, fmt::format("data_batch_{}.bin", i), records({"\x01", "\x02"}, 10 * i));
    write(ten_, "test_batch.bin", records({"\x09", "\x03", "\x04"}, 100));
    write(ten_, "batches.meta.txt", lines(10) + "\n");
    std::filesystem::create_directories(hundred_);
    write(hundred_, "train.bin", records({"\x13\x63", "\x05\x07"}, 1));
    write(hundred_, "test.bin", records({"\x02\x32"}, 9));
    write(hundred_, "fine_label_names.txt", lines(100));
    write(hundred_, "coarse_label_names.txt", lines(20));
  }
  static void write(const std::filesystem::path& directory, const std::string& name, const std::string& content) {
    base::write_file(directory / name, content);
  }
  Dataset load(const std::string& name, const std::string& labels = "fine") const {
    return load_dataset({.name = name, .path = directory_.path().string(), .labels = labels});
  }
  std::string error(const std::string& name) const {
    return message_of([&] { load(name); });
  }

  tests::TemporaryDirectory directory_;
  const std::filesystem::path ten_ = directory_ / "cifar-10-batches-bin";
  const std::filesystem::path hundred_ = directory_ / "cifar-100-binary";
};

TEST_F(Cifar, ReadsTenClassesInOrder) {
  // The three planes of one image must not be mixed up: red 1, green 2, blue 3, and one pixel that stands out.
  std::string image = std::string(1024, '\x01') + std::string(1024, '\x02') + std::string(1024, '\x03');
  image[1024 + 5 * 32 + 7] = '\x63';
  write(ten_, "data_batch_1.bin", "\x06" + image);
  const Dataset dataset = load("cifar10");
  EXPECT_EQ(dataset.name, "cifar10");
  EXPECT_EQ(dataset.images.sizes(), (std::vector<std::int64_t>{12, 3, 32, 32}));
  EXPECT_EQ(dataset.official_train, 9);
  EXPECT_EQ(dataset.classes[9], "name9");
  EXPECT_TRUE(dataset.labels.equal(torch::tensor({6, 1, 2, 1, 2, 1, 2, 1, 2, 9, 3, 4}, torch::kInt64)));
  EXPECT_EQ(dataset.images[0][1][5][7].item<int>(), 99);
  EXPECT_EQ(dataset.images[0][0][31][31].item<int>(), 1);
  EXPECT_EQ(dataset.images[0][2][0][0].item<int>(), 3);
  EXPECT_EQ(dataset.images[10].min().item<int>(), 101);
  EXPECT_EQ(dataset.images[8].max().item<int>(), 51);
}

TEST_F(Cifar, ReadsFineAndCoarseLabels) {
  const Dataset fine = load("cifar100");
  EXPECT_EQ(fine.class_count(), 100);
  EXPECT_EQ(fine.official_train, 2);
  EXPECT_TRUE(fine.labels.equal(torch::tensor({99, 7, 50}, torch::kInt64)));
  const Dataset coarse = load("cifar100", "coarse");
  EXPECT_EQ(coarse.class_count(), 20);
  EXPECT_TRUE(coarse.labels.equal(torch::tensor({19, 5, 2}, torch::kInt64)));
  EXPECT_TRUE(coarse.images.equal(fine.images));
  EXPECT_EQ(fine.images[2].min().item<int>(), 9);
}

TEST_F(Cifar, NamesTheFileAndWhatIsWrongWithIt) {
  write(ten_, "data_batch_3.bin", records({"\x01"}, 1).substr(0, 3000));
  EXPECT_THAT(error("cifar10"), AllOf(HasSubstr("data_batch_3.bin: truncated"), HasSubstr("3000 bytes")));
  write(ten_, "data_batch_3.bin", records({"\x01"}, 1) + "x");
  EXPECT_THAT(error("cifar10"), HasSubstr("data_batch_3.bin: truncated or with trailing bytes"));
  write(ten_, "data_batch_3.bin", "");
  EXPECT_THAT(error("cifar10"), HasSubstr("data_batch_3.bin"));
  write(ten_, "data_batch_3.bin", records({"\x01", "\x0a"}, 1));
  EXPECT_THAT(error("cifar10"), HasSubstr("data_batch_3.bin: image 1 has the label 10, but labels must be below 10"));
  std::filesystem::remove(ten_ / "data_batch_3.bin");
  EXPECT_THAT(error("cifar10"), HasSubstr("data_batch_3.bin: missing"));
  write(hundred_, "test.bin", records({"\x02\x64"}, 9));
  EXPECT_THAT(error("cifar100"), HasSubstr("test.bin: image 0 has the label 100"));
  write(hundred_, "fine_label_names.txt", lines(99));
  EXPECT_THAT(error("cifar100"), HasSubstr("fine_label_names.txt: 99 class names where 100"));
}

TEST_F(Cifar, RefusesAFileFarTooLargeWithoutReadingIt) {
  std::filesystem::resize_file(ten_ / "test_batch.bin", 3073LL * 1000000);  // sparse: takes no disk space
  EXPECT_THAT(error("cifar10"), HasSubstr("test_batch.bin: 1000000 images"));
}

TEST(CifarMissing, SaysHowToGetIt) {
  const tests::TemporaryDirectory empty;
  const auto message = message_of([&] { load_dataset({.name = "cifar10", .path = empty.path().string()}); });
  EXPECT_THAT(message,
              AllOf(HasSubstr("cifar-10-batches-bin was not found"), HasSubstr("infoscissors data fetch cifar10"),
                    HasSubstr("without a network"), HasSubstr(empty.path().string())));
}

}  // namespace
}  // namespace infoscissors::data
