#include "infoscissors/base/npy.h"

#include "infoscissors/base/file.h"
#include "infoscissors/base/hash.h"
#include "infoscissors/base/json.h"
#include "infoscissors/base/random.h"
#include "tests/base/support.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <set>

namespace infoscissors::base {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using Shape = std::vector<std::int64_t>;

template <class Number>
std::vector<Number> numbers(const NpyArray& array) {
  std::vector<Number> values(array.data.size() / sizeof(Number));
  std::memcpy(values.data(), array.data.data(), array.data.size());
  return values;
}

// A version 1.0 file with the given header text, which is not padded.
std::string file_with(const std::string& header, const std::string& data, char major = 1) {
  std::string content = std::string("\x93NUMPY") + major + '\0';
  content += static_cast<char>(header.size() & 0xff);
  content += static_cast<char>(header.size() >> 8);
  return content + header + data;
}

std::string header(const std::string& descr, const std::string& order, const std::string& shape) {
  return fmt::format("{{'descr': '{}', 'fortran_order': {}, 'shape': ({}), }}\n", descr, order, shape);
}

std::string read_error(const std::string& content) {
  const Scratch scratch("npy");
  write_file(scratch / "x.npy", content);
  return error_of([&] { read_npy(scratch / "x.npy"); });
}

TEST(Npy, ReadsWhatNumPyWrote) {
  const NpyArray grid = read_npy(data_file("c_order.npy"));
  EXPECT_EQ(grid.dtype, "<f4");
  EXPECT_EQ(grid.shape, (Shape{2, 3}));
  EXPECT_FALSE(grid.fortran_order);
  EXPECT_EQ(numbers<float>(grid), (std::vector<float>{0, 1, 2, 3, 4, 5}));
  const NpyArray fortran = read_npy(data_file("fortran_order.npy"));
  EXPECT_TRUE(fortran.fortran_order);
  EXPECT_EQ(numbers<float>(fortran), (std::vector<float>{0, 3, 1, 4, 2, 5}));
  const NpyArray scalar = read_npy(data_file("scalar.npy"));
  EXPECT_TRUE(scalar.shape.empty());
  EXPECT_EQ(numbers<std::int64_t>(scalar), std::vector<std::int64_t>{-7});
  EXPECT_EQ(read_npy(data_file("empty.npy")).shape, (Shape{0, 3}));
  EXPECT_EQ(read_npy(data_file("bool.npy")).data, std::string("\1\0\1", 3));
  for (const char* name : {"version2.npy", "version3.npy"}) {
    EXPECT_EQ(numbers<double>(read_npy(data_file(name))), (std::vector<double>{0, 1, 2, 3, 4, 5})) << name;
  }
}

TEST(Npy, RoundTripsAndAlignsItsDataAsNumPyDoes) {
  const Scratch scratch("npy");
  for (const char* name : {"c_order.npy", "fortran_order.npy", "scalar.npy", "empty.npy", "bool.npy"}) {
    const NpyArray array = read_npy(data_file(name));
    write_npy(scratch / name, array);
    const NpyArray back = read_npy(scratch / name);
    EXPECT_EQ(back.shape, array.shape) << name;
    EXPECT_EQ(back.data, array.data) << name;
    EXPECT_EQ(back.fortran_order, array.fortran_order) << name;
    EXPECT_EQ(read_file(scratch / name).size() % 64, read_file(data_file(name)).size() % 64) << name;
  }
}

TEST(Npy, RefusesWhatIsNoArray) {
  EXPECT_THAT(read_error(""), EndsWith("not a .npy file"));
  EXPECT_THAT(read_error("\x93NUMPX\x01 12345"), EndsWith("not a .npy file"));
  EXPECT_THAT(read_error(file_with(header("|u1", "False", "1,"), "a", 4)), EndsWith(".npy version 4 is not known"));
  EXPECT_THAT(error_of([] { read_npy(data_file("big_endian.npy")); }), HasSubstr("big-endian"));
}

TEST(Npy, RefusesMalformedHeaders) {
  for (const auto& text :
       {std::string("{}"), header("float32", "False", "1,"), header("|u1", "maybe", "1,"),
        header("|u1", "False", "-1,"), header("|u1", "False", "1.5,"), header("|O", "False", "1,")}) {
    EXPECT_THAT(read_error(file_with(text, "a")), HasSubstr("malformed")) << text;
  }
  EXPECT_THAT(read_error(file_with(header("|u1", "False", "1 1"), "a")), HasSubstr("shape is malformed"));
  EXPECT_THAT(read_error(file_with(header("|u1", "False", "99999999999999999999,"), "a")), HasSubstr("malformed"));
}

TEST(Npy, RefusesTruncatedAndOverlongFiles) {
  const std::string whole = file_with(header("<f4", "False", "2, 3"), std::string(24, 'a'));
  EXPECT_EQ(read_error(whole), "no error");
  EXPECT_THAT(read_error(whole.substr(0, 9)), EndsWith("not a .npy file"));
  EXPECT_THAT(read_error(whole.substr(0, 40)), EndsWith("truncated in its header"));
  EXPECT_THAT(read_error(whole.substr(0, whole.size() - 1)), EndsWith("announces 24 bytes of data, but 23 follow"));
  EXPECT_THAT(read_error(whole + "a"), EndsWith("announces 24 bytes of data, but 25 follow"));
}

TEST(Npy, RefusesShapesWhoseProductOverflows) {
  for (const char* shape : {"4294967296, 4294967296", "9223372036854775807, 2", "0, 9223372036854775807, 4"}) {
    EXPECT_THAT(read_error(file_with(header("<f8", "False", shape), "")), EndsWith("impossible shape")) << shape;
  }
}

TEST(Npy, ALongHeaderIsRefusedBeforeItIsSearched) {
  const std::string text = "{'descr':" + std::string(60000, ' ') + "'|u1'}";
  EXPECT_THAT(read_error(file_with(text, "a")), EndsWith("60015 bytes are too long"));
}

TEST(Hash, EqualsAnIndependentImplementation) {
  const Json golden = read_json(data_file("hashes.json"));
  ASSERT_EQ(golden["derive_seed"].size(), 4u);
  for (const auto& row : golden["content_hash"]) EXPECT_EQ(content_hash(row[0].get<std::string>()), row[1]);
  for (const auto& row : golden["hash64"]) {
    EXPECT_EQ(hash64(row[0].get<std::string>(), row[1].get<std::uint64_t>()), row[2].get<std::uint64_t>());
  }
  for (const auto& row : golden["derive_seed"]) {
    const auto seed = derive_seed(row[0].get<std::uint64_t>(), row[1].get<std::string>(), row[2].get<std::uint64_t>());
    EXPECT_EQ(seed, row[3].get<std::uint64_t>());
  }
}

TEST(DeriveSeed, TellsSeedsStreamsAndIndicesApart) {
  std::set<std::uint64_t> seen;
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    for (const char* stream : {"", "a", "b", "ab"}) {
      for (std::uint64_t index = 0; index < 100; ++index) seen.insert(derive_seed(seed, stream, index));
    }
  }
  EXPECT_EQ(seen.size(), 4000u);
}

}  // namespace
}  // namespace infoscissors::base
