#include "infoscissors/image/image.h"
#include "tests/data/support.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"

#include <cstdlib>

namespace infoscissors::data {
namespace {

using testing::HasSubstr;
using tests::idx;
using tests::message_of;

class FashionMnist : public testing::Test {
 protected:
  FashionMnist() {
    write("train-images-idx3-ubyte",
          idx({3, 28, 28}, std::string(784, '\x01') + std::string(784, '\x02') + std::string(784, '\xff')));
    write("train-labels-idx1-ubyte", idx({3}, std::string("\x03\x00\x09", 3)));
    write("t10k-images-idx3-ubyte", idx({2, 28, 28}, std::string(784, '\x04') + std::string(784, '\x05')));
    write("t10k-labels-idx1-ubyte", idx({2}, "\x05\x01"));
  }
  void write(const std::string& name, const std::string& content) { base::write_file(directory_ / name, content); }
  Dataset load() const { return load_dataset({.name = "fashion-mnist", .path = directory_.path().string()}); }
  std::string error() const {
    return message_of([&] { load(); });
  }

  tests::TemporaryDirectory directory_;
};

TEST_F(FashionMnist, ReadsPlainFiles) {
  const Dataset dataset = load();
  EXPECT_EQ(dataset.name, "fashion-mnist");
  EXPECT_EQ(dataset.images.sizes(), (std::vector<std::int64_t>{5, 1, 28, 28}));
  EXPECT_EQ(dataset.official_train, 3);
  EXPECT_EQ(dataset.class_count(), 10);
  EXPECT_TRUE(dataset.labels.equal(torch::tensor({3, 0, 9, 5, 1}, torch::kInt64)));
  const auto first = dataset.images.view({5, -1}).select(1, 0);
  EXPECT_TRUE(first.equal(torch::tensor({1, 2, 255, 4, 5}, torch::kUInt8)));
}

TEST_F(FashionMnist, AcceptsTheDirectoryAbove) {
  const auto inner = directory_ / "fashion-mnist";
  std::filesystem::create_directory(inner);
  for (const char* name :
       {"train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"}) {
    std::filesystem::rename(directory_ / name, inner / name);
  }
  EXPECT_EQ(load().size(), 5);
}

TEST_F(FashionMnist, NamesTheFileAndWhatIsWrongWithIt) {
  const std::string labels = idx({3}, std::string("\x03\x00\x09", 3));
  write("train-labels-idx1-ubyte", labels.substr(0, 6));
  EXPECT_THAT(error(), HasSubstr("train-labels-idx1-ubyte: truncated"));
  write("train-labels-idx1-ubyte", labels.substr(0, 9));
  EXPECT_THAT(error(), HasSubstr("train-labels-idx1-ubyte: truncated: 9 bytes where 11 were expected"));
  write("train-labels-idx1-ubyte", labels + "x");
  EXPECT_THAT(error(), HasSubstr("train-labels-idx1-ubyte: trailing bytes"));
  write("train-labels-idx1-ubyte", "\x1f\x8b" + labels);
  EXPECT_THAT(error(), HasSubstr("train-labels-idx1-ubyte: not the IDX file expected"));
  write("train-labels-idx1-ubyte", idx({3}, "\x01\x0a\x02"));
  EXPECT_THAT(error(), HasSubstr("train-labels-idx1-ubyte: image 1 has the label 10"));
  write("train-labels-idx1-ubyte", idx({2}, "\x01\x02"));
  EXPECT_THAT(error(), HasSubstr("3 images"));
  write("train-labels-idx1-ubyte", idx({0xffffffff}, "\x01\x02"));
  EXPECT_THAT(error(), HasSubstr("4294967295 items"));
}

TEST_F(FashionMnist, RefusesImagesOfAnotherShape) {
  write("t10k-images-idx3-ubyte", idx({2, 14, 56}, std::string(2 * 784, '\0')));
  EXPECT_THAT(error(), HasSubstr("t10k-images-idx3-ubyte: items of size 14 where 28"));
}

TEST_F(FashionMnist, NamesAMissingFile) {
  std::filesystem::remove(directory_ / "t10k-labels-idx1-ubyte");
  EXPECT_THAT(error(), HasSubstr("t10k-labels-idx1-ubyte: cannot be read"));
  std::filesystem::remove(directory_ / "train-images-idx3-ubyte");
  EXPECT_THAT(error(), HasSubstr("dataset-fashion-mnist"));
}

TEST_F(FashionMnist, ReadsGzipAndReportsItsDamage) {
  if (!image::codecs_available()) GTEST_SKIP() << "built without codecs";
  std::filesystem::remove(directory_ / "t10k-labels-idx1-ubyte");
  // idx({2}, "\x05\x01") compressed by Python's gzip.compress(..., mtime=0).
  const std::string packed(
      "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x63\x60\xe0\x60\x64\x60\x60\x60\x62\x65\x04\x00\xca\x68\xec\x9f\x0a\x00"
      "\x00\x00",
      30);
  write("t10k-labels-idx1-ubyte.gz", packed);
  EXPECT_TRUE(load().labels.slice(0, 3).equal(torch::tensor({5, 1}, torch::kInt64)));
  write("t10k-labels-idx1-ubyte.gz", packed.substr(0, 20));
  EXPECT_THAT(error(), HasSubstr("t10k-labels-idx1-ubyte.gz: truncated"));
}

TEST(FashionMnistInstalled, HasTheOfficialCounts) {
  if (!std::filesystem::exists("/usr/share/datasets/fashion-mnist") || !image::codecs_available()) {
    GTEST_SKIP() << "the package dataset-fashion-mnist is not installed";
  }
  const Dataset dataset = load_dataset({.name = "fashion-mnist", .path = "/usr/share/datasets/fashion-mnist"});
  EXPECT_EQ(dataset.size(), 70000);
  EXPECT_EQ(dataset.official_train, 60000);
  EXPECT_TRUE(torch::bincount(dataset.labels).equal(torch::full({10}, 7000, torch::kInt64)));
}

}  // namespace
}  // namespace infoscissors::data
