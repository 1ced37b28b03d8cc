#include "infoscissors/wire/check.h"

#include "tests/support/bytes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <limits>

namespace infoscissors::wire {
namespace {

using ::testing::HasSubstr;

const Signature kSignature{{"representation", DataType::fp32, {-1, 2, 3}}, {"feature", DataType::fp32, {-1, 4}}};

Tensor tensor(std::string name, DataType type, Shape shape, const std::string& bytes) {
  Tensor tensor(std::move(name), type, std::move(shape), {});
  tensor.own({bytes.begin(), bytes.end()});
  return tensor;
}

/// Two rows of the right shape.
Request good() {
  Request request;
  request.model = "net";
  request.inputs.push_back(
      tensor("representation", DataType::fp32, {2, 2, 3}, tests::bytes_of(std::vector<float>(12, 0.5F))));
  return request;
}

Request quantised(std::int64_t rows = 2) {
  Request request;
  const auto n = static_cast<std::size_t>(rows);
  request.inputs.push_back(tensor("representation", DataType::int8, {rows, 2, 3}, std::string(6 * n, '\x05')));
  request.inputs.push_back(
      tensor("representation_scale", DataType::fp32, {rows, 1}, tests::bytes_of(std::vector<float>(n, 2))));
  request.inputs.push_back(
      tensor("representation_zero_point", DataType::fp32, {rows, 1}, tests::bytes_of(std::vector<float>(n, 1))));
  return request;
}

/// Both stages in the server's order.
Rows check_all(const Request& request, const Limits& limits = {}) {
  check_names(request, limits);
  return check(request, kSignature, limits);
}

void expect_refused(const Request& request, Code code, const std::string& part) {
  try {
    check_all(request);
    ADD_FAILURE() << "accepted, expected: " << part;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    EXPECT_THAT(error.what(), HasSubstr(part));
    EXPECT_LT(std::strlen(error.what()), 400U);
  }
}

void expect_invalid(const std::function<void(Request&)>& change, const std::string& part) {
  auto request = good();
  change(request);
  expect_refused(request, Code::invalid_argument, part);
}

TEST(Check, AcceptsRowsAndCopiesThem) {
  auto request = good();
  std::vector<float> values(12);
  for (std::size_t i = 0; i < 12; ++i) values[i] = static_cast<float>(i) - 3;
  request.inputs[0] = tensor("representation", DataType::fp32, {2, 2, 3}, tests::bytes_of(values));
  const auto rows = check_all(request);
  EXPECT_EQ(rows.count, 2);
  std::vector<float> copied(12);
  rows.copy_to(copied.data());
  EXPECT_EQ(copied, values);
}

TEST(Check, AcceptsQuantisedRows) {
  const auto request = quantised();
  const auto rows = check_all(request);
  std::vector<float> copied(12);
  rows.copy_to(copied.data());
  EXPECT_EQ(copied, std::vector<float>(12, 8));  // (5 - 1) * 2
}

TEST(Check, AcceptsHalfAndBfloat) {
  for (const auto& [type, one] : {std::pair{DataType::fp16, '\x3c'}, std::pair{DataType::bf16, '\x3f'}}) {
    std::string bytes;
    for (int i = 0; i < 6; ++i) bytes += std::string{type == DataType::fp16 ? '\0' : '\x80', one};
    auto request = good();
    request.inputs[0] = tensor("representation", type, {1, 2, 3}, bytes);
    std::vector<float> copied(6);
    check_all(request).copy_to(copied.data());
    EXPECT_EQ(copied, std::vector<float>(6, 1)) << name(type);
  }
}

TEST(Check, RefusesShapes) {
  const auto with = [](Shape shape) { return [shape](Request& request) { request.inputs[0].shape = shape; }; };
  const std::int64_t big = std::int64_t{1} << 31;
  expect_invalid(with({big, big, big}), "too many elements");
  expect_invalid(with({std::numeric_limits<std::int64_t>::max(), 2, 3}), "too many elements");
  expect_invalid(with({2, -2, -3}), "at least 1");
  expect_invalid(with({-1, 2, 3}), "at least 1");
  expect_invalid(with({0, 2, 3}), "at least 1");
  expect_invalid(with({std::numeric_limits<std::int64_t>::min(), 2, 3}), "at least 1");
  expect_invalid(with(Shape(1'000'000, 1)), "1000000 dimensions");
  expect_invalid(with({}), "the model takes [-1,2,3]");
  expect_invalid(with({2}), "the model takes [-1,2,3]");
  expect_invalid(with({2, 3, 2}), "the model takes [-1,2,3]");
  expect_invalid(with({2, 2, 3, 1}), "the model takes [-1,2,3]");
  expect_invalid(with({65, 2, 3}), "at most 64");
  expect_invalid(with({1, 2, 3}), "needs 24 bytes and has 48");
  expect_invalid(with({3, 2, 3}), "needs 72 bytes and has 48");
}

TEST(Check, RefusesDatatypes) {
  for (const auto type : {DataType::boolean, DataType::uint16, DataType::uint32, DataType::uint64, DataType::int16,
                          DataType::int32, DataType::int64, DataType::fp64, DataType::bytes}) {
    expect_invalid([type](Request& request) { request.inputs[0].datatype = type; }, std::string(name(type)));
  }
  EXPECT_THROW(parse_datatype("fp32"), Error);
  EXPECT_THROW(parse_datatype(""), Error);
  EXPECT_THROW(parse_datatype(std::string(1 << 20, 'F')), Error);
}

TEST(Check, RefusesWrongSetsOfInputs) {
  expect_invalid([](Request& request) { request.inputs.clear(); }, "'representation' is missing");
  expect_invalid([](Request& request) { request.inputs[0].name = "x"; }, "'representation' is missing");
  expect_invalid([](Request& request) { request.inputs.push_back(tensor("x", DataType::fp32, {1}, "0000")); },
                 "no input 'x'");
  expect_invalid([](Request& request) { request.inputs.push_back(std::move(good().inputs[0])); }, "given twice");
  expect_invalid(
      [](Request& request) {
        request.inputs.push_back(tensor("representation_scale", DataType::fp32, {2, 1}, "0000"));
      },
      "no input 'representation_scale' here");
  expect_invalid(
      [](Request& request) {
        for (int i = 0; i < 17; ++i) request.inputs.emplace_back();
      },
      "at most 16");
}

TEST(Check, RefusesQuantisedInputs) {
  const auto changed = [](const std::function<void(Request&)>& change, const std::string& part) {
    auto request = quantised();
    change(request);
    expect_refused(request, Code::invalid_argument, part);
  };
  changed([](Request& r) { r.inputs.pop_back(); }, "representation_zero_point");
  changed([](Request& r) { r.inputs.erase(r.inputs.begin() + 1); }, "representation_scale");
  changed([](Request& r) { r.inputs[1].shape = {2}; }, "shape [2,1]");
  changed([](Request& r) { r.inputs[1].shape = {1, 2}; }, "shape [2,1]");
  changed([](Request& r) { r.inputs[2].datatype = DataType::fp16; }, "must be FP32");
  changed([](Request& r) { r.inputs[2].own({'a'}); }, "needs 8 bytes and has 1");
  changed([](Request& r) { r.inputs[2].name = "representation_scale"; }, "given twice");
  const float nan = std::nanf(""), infinite = INFINITY, huge = 3e38F;
  for (const float bad : {nan, infinite, huge}) {
    changed(
        [bad](Request& r) {
          r.inputs[1] = tensor("representation_scale", DataType::fp32, {2, 1}, tests::bytes_of({1, bad}));
        },
        "row 1");
  }
}

TEST(Check, RefusesValuesThatAreNotFiniteByPolicy) {
  // Every place of a row that is longer than the blocks in which values are looked at.
  const Signature wide{{"representation", DataType::fp32, {-1, 700}}, {"feature", DataType::fp32, {-1, 4}}};
  for (const std::size_t place : {0, 255, 256, 511, 512, 699}) {
    for (const float bad : {std::nanf(""), INFINITY, -INFINITY}) {
      std::vector<float> values(700, 1);
      values[place] = bad;
      Request request;
      request.inputs.push_back(tensor("representation", DataType::fp32, {1, 700}, tests::bytes_of(values)));
      EXPECT_THROW(check(request, wide, {}), Error) << place;
      Limits lenient;
      lenient.refuse_non_finite = false;
      EXPECT_EQ(check(request, wide, lenient).count, 1);
    }
  }
  expect_invalid(
      [](Request& request) {
        request.inputs[0] =
            tensor("representation", DataType::fp16, {1, 2, 3}, std::string(10, '\0') + std::string("\x00\x7c", 2));
      },
      "not finite");
  expect_invalid(
      [](Request& request) {
        request.inputs[0] = tensor("representation", DataType::bf16, {1, 2, 3}, std::string(10, '\0') + "\x81\xff");
      },
      "not finite");
}

TEST(Check, RefusesOutputs) {
  expect_invalid([](Request& request) { request.outputs.push_back({"x", {}}); }, "no output 'x'");
  expect_invalid([](Request& request) { request.outputs = {{"feature", {}}, {"feature", {}}}; }, "requested twice");
  expect_invalid([](Request& request) { request.outputs.resize(1'000'000); }, "1000000 requested outputs");
  auto request = good();
  request.outputs = {{"feature", {{"classification", std::int64_t{3}}}}};
  expect_refused(request, Code::unsupported, "classification");
  request.outputs = {{"feature", {}}};
  EXPECT_EQ(check_all(request).count, 2);
}

TEST(Check, RefusesNames) {
  const std::string longest(128, 'a'), nul("a\0b", 3), huge(1 << 20, 'a');
  auto request = good();
  request.model = request.version = request.id = longest;
  EXPECT_EQ(check_all(request).count, 2);
  expect_invalid([&](Request& r) { r.model = nul; }, "control characters");
  expect_invalid([&](Request& r) { r.model = huge; }, "1048576 bytes");
  expect_invalid([&](Request& r) { r.version = huge; }, "1048576 bytes");
  expect_invalid([&](Request& r) { r.version = "\n"; }, "control characters");
  expect_invalid([&](Request& r) { r.id = huge; }, "1048576 bytes");
  expect_invalid([&](Request& r) { r.id = nul; }, "control characters");
  expect_invalid([&](Request& r) { r.inputs[0].name = huge; }, "1048576 bytes");
  expect_invalid([&](Request& r) { r.inputs[0].name = nul; }, "control characters");
  expect_invalid([&](Request& r) { r.outputs = {{huge, {}}}; }, "1048576 bytes");
  expect_invalid([&](Request& r) { r.parameters[huge] = true; }, "1048576 bytes");
  expect_invalid([&](Request& r) { r.parameters["a"] = huge; }, "1048576 bytes");
  expect_invalid(
      [](Request& r) {
        for (int i = 0; i < 33; ++i) r.parameters[std::to_string(i)] = true;
      },
      "33 parameters");
  request.parameters["shared_memory_region"] = std::string("x");
  expect_refused(request, Code::unsupported, "shared memory");
}

TEST(Check, SignatureMustBeServable) {
  const auto refused = [](TensorSpec spec) {
    EXPECT_THROW(validate(Signature{spec, kSignature.output}), base::Error);
    EXPECT_THROW(validate(Signature{kSignature.input, spec}), base::Error);
  };
  refused({"x", DataType::fp16, {-1, 2}});
  refused({"x", DataType::fp32, {-1}});
  refused({"x", DataType::fp32, {2, 2}});
  refused({"x", DataType::fp32, {-1, -1}});
  refused({"x", DataType::fp32, {-1, 1 << 30, 1 << 30}});
  validate(kSignature);
}

TEST(Check, ResponseMustFit) {
  const auto answer = [](DataType type, Shape shape, const std::vector<float>& values, const char* name = "feature") {
    Response response;
    response.outputs.push_back(tensor(name, type, std::move(shape), tests::bytes_of(values)));
    return response;
  };
  const std::vector<float> four{1, 2, 3, 4};
  EXPECT_EQ(check(answer(DataType::fp32, {1, 4}, four), kSignature, 1), tests::bytes_of(four));
  const auto refused = [](const Response& response, std::int64_t rows) {
    try {
      check(response, kSignature, rows);
      ADD_FAILURE() << "accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::internal);
    }
  };
  refused({}, 1);
  refused(answer(DataType::fp32, {1, 4}, four, "x"), 1);
  refused(answer(DataType::fp32, {1, 4}, four), 2);
  refused(answer(DataType::fp32, {2, 2}, four), 1);
  refused(answer(DataType::int32, {1, 4}, four), 1);
  refused(answer(DataType::fp32, {1, 4}, {1, 2, 3}), 1);
  refused(answer(DataType::fp32, {1, 4}, {1, 2, 3, std::nanf("")}), 1);
}

TEST(Code, NumbersOfBothProtocols) {
  const std::vector<std::tuple<Code, int, int>> table{
      {Code::invalid_argument, 3, 400},
      {Code::not_found, 5, 404},
      {Code::unavailable, 14, 503},
      {Code::too_large, 8, 413},
      {Code::unsupported, 12, 501},
      {Code::internal, 13, 500},
      {Code::unauthenticated, 16, 401},
      {Code::permission_denied, 7, 403},
      {Code::deadline, 4, 504},
      {Code::limited, 8, 429},
      {Code::ok, 0, 200},
      {Code::cancelled, 1, 499},
  };
  ASSERT_EQ(static_cast<int>(table.size()), kCodes);
  for (const auto& [code, grpc, http] : table) {
    EXPECT_EQ(grpc_status(code), grpc) << name(code);
    EXPECT_EQ(http_status(code), http) << name(code);
    EXPECT_EQ(grpc_status(from_grpc_status(grpc)), grpc);
  }
  EXPECT_EQ(from_grpc_status(99), Code::internal);
}

TEST(Printable, KeepsLogsInOneLine) {
  EXPECT_EQ(printable("../net-1"), "../net-1");
  EXPECT_EQ(printable(std::string("a\0b\n\x1b[31m\xff", 10)), "a?b??[31m?");
  EXPECT_EQ(printable(std::string(1 << 20, 'a')).size(), 67U);
}

}  // namespace
}  // namespace infoscissors::wire
