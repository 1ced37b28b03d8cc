#include "infoscissors/tensor/file.h"

#include "infoscissors/base/file.h"
#include "infoscissors/base/npy.h"
#include "tests/base/support.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

namespace infoscissors::tensor {
namespace {

using base::data_file;
using base::error_of;
using base::Json;
using base::Scratch;
using testing::EndsWith;
using testing::HasSubstr;

// A tensor file with the given header, as the format describes it.
std::string file_with(const std::string& header, const std::string& payload) {
  const std::uint64_t length = header.size();
  std::string content(sizeof length, '\0');
  std::memcpy(content.data(), &length, sizeof length);
  return content + header + payload;
}

std::string header_of(const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return fmt::format(R"({{"x": {{"dtype": "{}", "shape": {}, "data_offsets": {}}}}})", dtype, shape, offsets);
}

std::string load_error(const std::string& content) {
  const Scratch scratch("tensor");
  base::write_file(scratch / "x.safetensors", content);
  return error_of([&] { load_tensors(scratch / "x.safetensors"); });
}

TensorFile example() {
  TensorFile file;
  file.tensors = {{"u8", torch::arange(6, torch::kUInt8).reshape({2, 3})},
                  {"i64", torch::tensor({-1, 2}, torch::kInt64)},
                  {"f32", torch::arange(4, torch::kFloat32).reshape({2, 2}).t()},  // not contiguous
                  {"bf16", torch::tensor({1.0, -2.5}).to(torch::kBFloat16)},
                  {"bool", torch::tensor({true, false})},
                  {"scalar", torch::tensor(0.5, torch::kFloat64)},
                  {"empty", torch::empty({0, 4})}};
  file.metadata = {{"kind", "example"}, {"text", "a \"b\"\n\xc3\xa9"}};
  return file;
}

TEST(TensorFile, RoundTripsTypesShapesAndMetadata) {
  const Scratch scratch("tensor");
  save_tensors(scratch / "x", example());
  const TensorFile back = load_tensors(scratch / "x");
  const TensorFile before = example();
  EXPECT_EQ(back.metadata, before.metadata);
  ASSERT_EQ(back.tensors.size(), before.tensors.size());
  for (const auto& [name, tensor] : before.tensors) {
    ASSERT_TRUE(back.tensors.contains(name)) << name;
    EXPECT_EQ(back.tensors.at(name).dtype(), tensor.dtype()) << name;
    EXPECT_TRUE(torch::equal(back.tensors.at(name), tensor)) << name;
  }
}

TEST(TensorFile, TheSameContentGivesTheSameBytes) {
  const Scratch scratch("tensor");
  save_tensors(scratch / "a", example());
  save_tensors(scratch / "b", example());
  EXPECT_EQ(base::read_file(scratch / "a"), base::read_file(scratch / "b"));
}

TEST(TensorFile, ReadsWhatOtherCodeWrote) {
  const TensorFile file = load_tensors(data_file("golden.safetensors"));
  EXPECT_EQ(file.metadata, (std::map<std::string, std::string>{{"kind", "example"}}));
  const auto grid = torch::arange(6).reshape({2, 3}) * 3;
  for (const char* name : {"u8", "i32", "i64", "f16", "f32", "f64"}) {
    EXPECT_TRUE(torch::equal(file.tensors.at(name).to(torch::kInt64), grid)) << name;
  }
  EXPECT_EQ(file.tensors.at("f16").scalar_type(), torch::kFloat16);
  EXPECT_TRUE(torch::equal(file.tensors.at("bool"), torch::arange(6).reshape({2, 3}).remainder(2) == 1));
  EXPECT_TRUE(torch::equal(file.tensors.at("bf16"), torch::tensor({1.0, -2.5}).to(torch::kBFloat16)));
  EXPECT_EQ(file.tensors.at("scalar").item<double>(), 0.5);
  EXPECT_EQ(file.tensors.at("empty").sizes().vec(), (std::vector<std::int64_t>{0, 4}));
}

TEST(TensorFile, FollowsTheFormatsLayout) {
  // What other readers rely on: the header's place and length, its keys, payload aligned to eight bytes, offsets.
  const Scratch scratch("tensor");
  TensorFile file;
  file.tensors = {{"a", torch::tensor({1, 2}, torch::kInt32)}, {"b", torch::tensor({7}, torch::kUInt8)}};
  file.metadata = {{"k", "v"}};
  save_tensors(scratch / "x", file);
  const std::string content = base::read_file(scratch / "x");
  std::uint64_t length = 0;
  std::memcpy(&length, content.data(), sizeof length);
  EXPECT_EQ(length % 8, 0u);
  const Json header = Json::parse(content.substr(8, length));
  EXPECT_EQ(header["a"], (Json{{"dtype", "I32"}, {"shape", {2}}, {"data_offsets", {0, 8}}}));
  EXPECT_EQ(header["b"], (Json{{"dtype", "U8"}, {"shape", {1}}, {"data_offsets", {8, 9}}}));
  EXPECT_EQ(header["__metadata__"]["k"], "v");
  EXPECT_EQ(content.substr(8 + length), std::string("\1\0\0\0\2\0\0\0\7", 9));
}

TEST(TensorFile, DamageIsNoticed) {
  const Scratch scratch("tensor");
  save_tensors(scratch / "x", example());
  std::string content = base::read_file(scratch / "x");
  content.back() = static_cast<char>(content.back() ^ 1);
  EXPECT_THAT(load_error(content), EndsWith("damaged: its content does not match its checksum"));
}

TEST(TensorFile, EveryTruncationIsNoticed) {
  const Scratch scratch("tensor");
  save_tensors(scratch / "x", example());
  const std::string content = base::read_file(scratch / "x");
  for (std::size_t size = 0; size < content.size(); size += 7) {
    EXPECT_NE(load_error(content.substr(0, size)), "no error") << size;
  }
}

TEST(TensorFile, HeadersThatLieAreRefused) {
  EXPECT_THAT(load_error("abc"), EndsWith("not a tensor file: 3 bytes is too short"));
  EXPECT_THAT(load_error(std::string(8, '\xff') + "{}"), EndsWith("not a tensor file, or truncated in its header"));
  EXPECT_THAT(load_error(file_with("not json", "")), EndsWith("its header is not JSON"));
  EXPECT_THAT(load_error(file_with("[]", "")), EndsWith("its header is not JSON"));
  EXPECT_THAT(load_error(file_with(R"({"x": 3})", "")), EndsWith("tensor 'x': malformed header entry"));
  EXPECT_THAT(load_error(file_with(R"({"x": {"dtype": "U8"}})", "")), EndsWith("malformed header entry"));
  EXPECT_THAT(load_error(file_with(R"({"__metadata__": 3})", "")), EndsWith("malformed metadata"));
  EXPECT_THAT(load_error(file_with(header_of("C64", "[1]", "[0, 8]"), std::string(8, 'a'))), EndsWith("unknown dtype"));
}

TEST(TensorFile, SizesAreCheckedBeforeAnythingIsAllocated) {
  const std::string four(4, '\1');
  EXPECT_EQ(load_error(file_with(header_of("U8", "[4]", "[0, 4]"), four)), "no error");
  EXPECT_THAT(load_error(file_with(header_of("U8", "[5]", "[0, 5]"), four)), EndsWith("data outside the file"));
  EXPECT_THAT(load_error(file_with(header_of("U8", "[4]", "[4, 0]"), four)), EndsWith("data outside the file"));
  EXPECT_THAT(load_error(file_with(header_of("U8", "[4]", "[-1, 3]"), four)), EndsWith("data outside the file"));
  EXPECT_THAT(load_error(file_with(header_of("U8", "[4]", "[0]"), four)), EndsWith("data outside the file"));
  EXPECT_THAT(load_error(file_with(header_of("F32", "[4]", "[0, 4]"), four)), EndsWith("disagree in size"));
  EXPECT_THAT(load_error(file_with(header_of("U8", "[-4]", "[0, 4]"), four)), EndsWith("impossible shape"));
  for (const char* shape : {"[4294967296, 4294967296]", "[9223372036854775807, 3]", "[0, 9223372036854775807, 4]"}) {
    EXPECT_THAT(load_error(file_with(header_of("F32", shape, "[0, 0]"), "")), EndsWith("impossible shape")) << shape;
  }
}

TEST(TensorFile, BooleansAreZeroOrOne) {
  EXPECT_THAT(load_error(file_with(header_of("BOOL", "[1]", "[0, 1]"), "\2")), EndsWith("neither 0 nor 1"));
}

TEST(TensorFile, UnsupportedTypesAreRefused) {
  const Scratch scratch("tensor");
  TensorFile file;
  file.tensors["z"] = torch::zeros({1}, torch::kComplexFloat);
  EXPECT_THAT(error_of([&] { save_tensors(scratch / "x", file); }), HasSubstr("cannot be stored"));
  EXPECT_FALSE(std::filesystem::exists(scratch / "x"));
}

TEST(NpyTensor, RoundTripsEveryType) {
  const Scratch scratch("tensor");
  for (const auto type : {torch::kUInt8, torch::kInt8, torch::kInt16, torch::kInt32, torch::kInt64, torch::kFloat16,
                          torch::kFloat32, torch::kFloat64, torch::kBool}) {
    const auto tensor = torch::arange(6).reshape({2, 3}).t().remainder(2).to(type);
    save_npy(scratch / "x.npy", tensor);
    const auto back = load_npy(scratch / "x.npy");
    EXPECT_EQ(back.scalar_type(), type);
    EXPECT_TRUE(torch::equal(back, tensor)) << c10::toString(type);
  }
  EXPECT_THAT(error_of([&] { save_npy(scratch / "y.npy", torch::zeros({1}, torch::kBFloat16)); }),
              HasSubstr("have no .npy form"));
}

TEST(NpyTensor, ReadsWhatNumPyWroteInEitherOrder) {
  const auto directory = std::filesystem::path(INFOSCISSORS_TEST_DATA).parent_path().parent_path() / "base" / "data";
  const auto grid = torch::arange(6, torch::kFloat32).reshape({2, 3});
  EXPECT_TRUE(torch::equal(load_npy(directory / "c_order.npy"), grid));
  EXPECT_TRUE(torch::equal(load_npy(directory / "fortran_order.npy"), grid));
  EXPECT_TRUE(load_npy(directory / "fortran_order.npy").is_contiguous());
  EXPECT_EQ(load_npy(directory / "scalar.npy").item<std::int64_t>(), -7);
  EXPECT_EQ(load_npy(directory / "scalar.npy").dim(), 0);
  EXPECT_EQ(load_npy(directory / "empty.npy").sizes().vec(), (std::vector<std::int64_t>{0, 3}));
}

TEST(NpyTensor, RefusesNumbersItDoesNotKnowAndOddBooleans) {
  const Scratch scratch("tensor");
  base::write_npy(scratch / "x.npy", {.dtype = "<c8", .shape = {1}, .data = std::string(8, '\0')});
  EXPECT_THAT(error_of([&] { load_npy(scratch / "x.npy"); }), EndsWith("numbers of type <c8 are not supported"));
  base::write_npy(scratch / "x.npy", {.dtype = "|b1", .shape = {1}, .data = "\2"});
  EXPECT_THAT(error_of([&] { load_npy(scratch / "x.npy"); }), EndsWith("neither 0 nor 1"));
}

}  // namespace
}  // namespace infoscissors::tensor
