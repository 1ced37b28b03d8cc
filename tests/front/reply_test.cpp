#include "infoscissors/front/reply.h"

#include "tests/front/expect_code.h"

#include <cstring>
#include <limits>

namespace infoscissors::front {
namespace {

using base::Json;
using testing::HasSubstr;
using testing::StartsWith;

wire::Tensor tensor(const std::string& name, const std::vector<float>& values) {
  wire::Tensor made(name, wire::DataType::fp32, {1, static_cast<std::int64_t>(values.size())}, {});
  std::vector<char> bytes(values.size() * sizeof(float));
  std::memcpy(bytes.data(), values.data(), bytes.size());
  made.own(std::move(bytes));
  return made;
}

wire::Response response(const std::vector<float>& values) {
  wire::Response made;
  made.model = "enc";
  made.version = "7";
  made.id = "a\"7";
  made.parameters["queue_us"] = std::int64_t{12};
  made.parameters["version_id"] = std::string("v");
  made.outputs.push_back(tensor("v", values));
  return made;
}

TEST(Reply, JsonHoldsEveryFloatExactly) {
  const std::vector<float> values{0.1F, -3.4028235e38F, 1e-45F, 16777217.0F, -0.0F, 1};
  const auto reply = reply_infer(response(values), {});
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.content_type, "application/json");
  EXPECT_FALSE(reply.json_length);
  const auto document = Json::parse(reply.body);
  EXPECT_EQ(document["model_name"], "enc");
  EXPECT_EQ(document["model_version"], "7");
  EXPECT_EQ(document["id"], "a\"7");
  EXPECT_EQ(document["parameters"], Json({{"queue_us", 12}, {"version_id", "v"}}));
  EXPECT_EQ(document["outputs"][0]["name"], "v");
  EXPECT_EQ(document["outputs"][0]["datatype"], "FP32");
  EXPECT_EQ(document["outputs"][0]["shape"], Json({1, 6}));
  const auto read = document["outputs"][0]["data"].get<std::vector<double>>();
  ASSERT_EQ(read.size(), values.size());
  for (std::size_t i = 0; i < values.size(); ++i) EXPECT_EQ(static_cast<float>(read[i]), values[i]);
}

TEST(Reply, BinaryTensorsFollowTheJson) {
  auto both = response({1, 2});
  both.outputs.push_back(tensor("w", {3}));
  const auto reply = reply_infer(both, {.binary = true, .named = {{"w", false}}});
  EXPECT_EQ(reply.content_type, "application/octet-stream");
  ASSERT_TRUE(reply.json_length);
  const auto document = Json::parse(reply.body.substr(0, *reply.json_length));
  EXPECT_EQ(document["outputs"][0]["parameters"]["binary_data_size"], 8);
  EXPECT_FALSE(document["outputs"][0].contains("data"));
  EXPECT_EQ(document["outputs"][1]["data"], Json({3}));
  EXPECT_EQ(reply.body.substr(*reply.json_length), both.outputs[0].data);
}

TEST(Reply, NotFiniteIsNoJson) {
  const auto answer = response({1, std::numeric_limits<float>::quiet_NaN()});
  EXPECT_THAT(refusal_of([&] { reply_infer(answer, {}); }),
              StartsWith("internal: output 'v' has values that are not finite"));
  EXPECT_NO_THROW(reply_infer(answer, {.binary = true, .named = {}}));
}

TEST(Reply, WholeNumbersAreNoCharacters) {
  wire::Response answer;
  answer.outputs.emplace_back("q", wire::DataType::int8, wire::Shape{3}, std::string_view("\x80\0\x41", 3));
  EXPECT_EQ(Json::parse(reply_infer(answer, {}).body)["outputs"][0]["data"], Json({-128, 0, 65}));
  answer.outputs[0].datatype = wire::DataType::uint8;
  EXPECT_EQ(Json::parse(reply_infer(answer, {}).body)["outputs"][0]["data"], Json({128, 0, 65}));
}

TEST(Reply, ErrorsAreObjects) {
  const auto reply = reply_error(wire::Code::not_found, "no \"model\"\xff");
  EXPECT_EQ(reply.status, 404);
  EXPECT_THAT(Json::parse(reply.body)["error"].get<std::string>(), HasSubstr("no \"model\""));
  EXPECT_EQ(reply_status(405, "x").status, 405);
  const std::vector<std::pair<wire::Code, int>> table{
      {wire::Code::invalid_argument, 400}, {wire::Code::not_found, 404},        {wire::Code::unavailable, 503},
      {wire::Code::too_large, 413},        {wire::Code::unsupported, 501},      {wire::Code::internal, 500},
      {wire::Code::unauthenticated, 401},  {wire::Code::permission_denied, 403}};
  for (const auto& [code, status] : table) EXPECT_EQ(reply_error(code, "x").status, status) << wire::name(code);
}

}  // namespace
}  // namespace infoscissors::front
