#include "infoscissors/data/array.h"

#include "infoscissors/base/file.h"
#include "infoscissors/data/zip.h"
#include "tests/base/support.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace infoscissors::data {
namespace {

using base::data_file;
using base::error_of;
using base::Scratch;
using testing::HasSubstr;

torch::Tensor numbers() {
  return torch::arange(600, torch::kFloat32).reshape({300, 2});
}

std::string load_error(const std::string& content) {
  const Scratch scratch("array");
  base::write_file(scratch / "a.npz", content);
  return error_of([&] { load_array((scratch / "a.npz:x").string()); });
}

// Written by NumPy itself; zip64.npz after the format's description.
TEST(LoadArray, ReadsWhatNumpyWrites) {
  for (const char* file : {"stored.npz", "deflated.npz"}) {
    const auto place = data_file(file).string();
    EXPECT_TRUE(torch::equal(load_array(place + ":x"), numbers())) << file;
    const auto labels = load_array(place + ":y");
    EXPECT_EQ(labels.scalar_type(), torch::kInt64) << file;
    EXPECT_TRUE(torch::equal(labels, torch::arange(300).remainder(3))) << file;
  }
  EXPECT_TRUE(torch::equal(load_array(data_file("zip64.npz").string()), numbers()));
  EXPECT_TRUE(torch::equal(load_array(data_file("single.npz").string()), numbers().t().to(torch::kFloat64)));
}

TEST(LoadArray, SaysWhichArraysThereAre) {
  const auto place = data_file("stored.npz").string();
  EXPECT_THAT(error_of([&] { load_array(place); }), HasSubstr("holds 2 arrays (x, y); name one: "));
  EXPECT_THAT(error_of([&] { load_array(place + ":z"); }), HasSubstr("holds no array 'z', but x, y"));
  EXPECT_THAT(error_of([] { load_array("nowhere.npz:x"); }), HasSubstr("nowhere.npz"));
  EXPECT_THAT(load_error(""), HasSubstr("not a .npz archive"));
  EXPECT_THAT(load_error(std::string(1000, '\0')), HasSubstr("not a .npz archive"));
}

TEST(LoadArray, EveryTruncationAndEveryChangedByteOfTheNumbersIsNoticed) {
  for (const char* file : {"stored.npz", "deflated.npz", "zip64.npz"}) {
    const auto content = base::read_file(data_file(file));
    for (std::size_t size = 0; size < content.size(); size += 13)
      EXPECT_NE(load_error(content.substr(0, size)), "no error") << file << " " << size;
    for (std::size_t at = 200; at < 600; at += 7) {
      auto changed = content;
      changed[at] = static_cast<char>(changed[at] ^ 0x40);
      EXPECT_NE(load_error(changed), "no error") << file << " " << at;
    }
  }
}

// Lengths and places in the directory that lie are caught before anything is read there or allocated.
TEST(LoadArray, HostileDirectoriesAreRefused) {
  const auto content = base::read_file(data_file("deflated.npz"));
  const auto directory = content.find("PK\x01\x02");
  ASSERT_NE(directory, std::string::npos);
  for (const std::size_t field : {10U, 20U, 24U, 28U, 42U}) {  // method, both sizes, the name's length, the place
    auto changed = content;
    changed[directory + field] = '\xf0';
    changed[directory + field + 1] = '\xff';
    EXPECT_NE(load_error(changed), "no error") << field;
  }
}

}  // namespace
}  // namespace infoscissors::data
