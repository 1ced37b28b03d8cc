#include "infoscissors/data/fetch.h"

#include "infoscissors/base/file.h"
#include "infoscissors/base/interrupt.h"
#include "infoscissors/base/json.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"

#include <csignal>
#include <cstdlib>

namespace infoscissors::data {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using tests::message_of;

const std::filesystem::path kData = INFOSCISSORS_TEST_DATA;

class Fetch : public testing::Test {
 protected:
  void SetUp() override {
    if (!fetch_available()) GTEST_SKIP() << "built without fetch";
    sums_ = base::read_json(kData / "md5.json");
  }
  Archive archive(const std::string& file) const {
    return {"set10", "file://" + (kData / file).string(), sums_.at(file).get<std::string>(), "set"};
  }
  std::vector<std::string> left() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(directory_.path()))
      names.push_back(entry.path().filename().string());
    return names;
  }
  base::Json sums_;
  tests::TemporaryDirectory directory_;
  const std::filesystem::path partial_ = directory_ / "set.tar.gz.part";
};

TEST_F(Fetch, Md5EqualsPythons) {
  for (const auto& [name, sum] : sums_.items()) EXPECT_EQ(file_md5(kData / name), sum.get<std::string>()) << name;
}

TEST_F(Fetch, DownloadsChecksAndUnpacks) {
  const auto target = fetch(archive("good.tar.gz"), directory_.path());
  EXPECT_EQ(target, directory_ / "set");
  EXPECT_EQ(base::read_file(target / "a.bin"), base::read_file(kData / "a.bin"));
  EXPECT_EQ(base::read_file(target / "inner/b.txt"), "hello\n");
  EXPECT_THAT(left(), testing::ElementsAre("set"));
  // The second time there is nothing to do, not even to look at the address.
  Archive gone = archive("good.tar.gz");
  gone.url = "file:///nowhere";
  EXPECT_EQ(fetch(gone, directory_.path()), target);
}

TEST_F(Fetch, ContinuesAnInterruptedDownload) {
  const std::string whole = base::read_file(kData / "good.tar.gz");
  // At the address the beginning is wrong: only a download that keeps what is there gets the right sum.
  std::string source = whole;
  source.replace(0, 100, 100, 'x');
  base::write_file(directory_ / "source", source);
  base::write_file(partial_, whole.substr(0, 100));
  Archive moved = archive("good.tar.gz");
  moved.url = "file://" + (directory_ / "source").string();
  EXPECT_TRUE(std::filesystem::exists(fetch(moved, directory_.path()) / "a.bin"));
}

TEST_F(Fetch, UsesACompleteDownloadThatWasNotUnpacked) {
  std::filesystem::copy_file(kData / "good.tar.gz", partial_);
  Archive gone = archive("good.tar.gz");
  gone.url = "file:///nowhere";
  EXPECT_TRUE(std::filesystem::exists(fetch(gone, directory_.path()) / "a.bin"));
}

TEST_F(Fetch, BeginsAnewWhenThePartIsLongerThanTheFile) {
  base::write_file(partial_, std::string(100000, 'x'));
  EXPECT_TRUE(std::filesystem::exists(fetch(archive("good.tar.gz"), directory_.path()) / "a.bin"));
}

TEST_F(Fetch, SetsAsideWhatHasTheWrongSum) {
  Archive wrong = archive("good.tar.gz");
  wrong.url = archive("other.tar.gz").url;
  const auto message = message_of([&] { fetch(wrong, directory_.path()); });
  EXPECT_THAT(message, AllOf(HasSubstr("MD5"), HasSubstr(wrong.md5), HasSubstr(file_md5(kData / "other.tar.gz"))));
  EXPECT_THAT(left(), testing::ElementsAre("set.tar.gz.part.bad"));
}

TEST_F(Fetch, SaysWhatToDoWithoutANetwork) {
  Archive gone = archive("good.tar.gz");
  gone.url = "file:///nowhere/set.tar.gz";
  const auto message = message_of([&] { fetch(gone, directory_.path()); });
  EXPECT_THAT(message,
              AllOf(HasSubstr("file:///nowhere/set.tar.gz"), HasSubstr("without a network"), HasSubstr("--url")));
  EXPECT_THAT(left(), testing::IsEmpty());
}

TEST_F(Fetch, LeavesNothingOfHostileArchives) {
  for (const char* name : {"parent.tar.gz", "absolute.tar.gz", "symlink.tar.gz", "hardlink.tar.gz"}) {
    EXPECT_THAT(message_of([&] { fetch(archive(name), directory_ / name); }), HasSubstr("refused")) << name;
    EXPECT_FALSE(std::filesystem::exists(directory_ / name / "set")) << name;
    EXPECT_FALSE(std::filesystem::exists(directory_ / "escaped.txt"));
    EXPECT_FALSE(std::filesystem::exists("/tmp/infoscissors-escaped.txt"));
  }
  EXPECT_THAT(message_of([&] { fetch(archive("twice.tar.gz"), directory_.path()); }),
              HasSubstr("a.bin: cannot be written"));
  EXPECT_THAT(message_of([&] { fetch(archive("other.tar.gz"), directory_ / "other"); }),
              HasSubstr("holds no directory set"));
}

TEST_F(Fetch, RefusesMoreThanTheLimitAndWhatIsNoArchive) {
  const auto here = directory_ / "here";
  std::filesystem::create_directory(here);
  EXPECT_THAT(message_of([&] { unpack(kData / "good.tar.gz", here, 1000); }), HasSubstr("more than 1000 bytes"));
  EXPECT_THAT(message_of([&] { unpack(kData / "a.bin", here, 1000); }), HasSubstr("a.bin"));
  EXPECT_THAT(message_of([&] { unpack(kData / "absent", here, 1000); }), HasSubstr("absent"));
  const std::string whole = base::read_file(kData / "good.tar.gz");
  base::write_file(directory_ / "cut.tar.gz", whole.substr(0, whole.size() / 2));
  const auto there = directory_ / "there";
  std::filesystem::create_directory(there);
  EXPECT_THAT(message_of([&] { unpack(directory_ / "cut.tar.gz", there, 100000); }),
              AllOf(HasSubstr("cut.tar.gz: "), HasSubstr("truncated")));
}

TEST_F(Fetch, StopsWhenAskedTo) {
  const auto stopped = [&] {
    base::install_interrupt_handler();
    std::raise(SIGTERM);
    try {
      fetch(archive("good.tar.gz"), directory_.path());
    } catch (const base::Interrupted&) {
      std::_Exit(42);
    }
    std::_Exit(0);
  };
  EXPECT_EXIT(stopped(), testing::ExitedWithCode(42), "");  // in a child process: the flag cannot be taken back
}

TEST(OfficialArchive, KnowsWhatCanBeFetched) {
  EXPECT_EQ(official_archive("cifar10").directory, "cifar-10-batches-bin");
  EXPECT_EQ(official_archive("cifar100").md5.size(), 32U);
  EXPECT_THAT(message_of([] { official_archive("fashion-mnist"); }), HasSubstr("dataset-fashion-mnist"));
  EXPECT_THAT(message_of<base::UsageError>([] { official_archive("synthetic"); }), HasSubstr("needs no download"));
  EXPECT_THAT(message_of<base::UsageError>([] { official_archive("cifar-10"); }), HasSubstr("did you mean 'cifar10'"));
}

TEST(NoFetch, SaysWhatIsMissing) {
  if (fetch_available()) GTEST_SKIP() << "built with fetch";
  const tests::TemporaryDirectory directory;
  EXPECT_THAT(message_of([&] { fetch(official_archive("cifar10"), directory.path()); }),
              HasSubstr("component \"fetch\""));
}

}  // namespace
}  // namespace infoscissors::data
