// Built where the component "grpc" is.
#if __has_include("open_inference_grpc.pb.h")

#include "infoscissors/client/proto.h"

#include "infoscissors/wire/error.h"

#include "tests/support/expect_error.h"

#include <gtest/gtest.h>

#include <cstring>

namespace infoscissors::client {
namespace {

using inference::ModelInferResponse;
using ::testing::HasSubstr;

std::shared_ptr<ModelInferResponse> typed_answer() {
  auto message = std::make_shared<ModelInferResponse>();
  message->set_model_name("net");
  message->set_id("7");
  (*message->mutable_parameters())["queue_us"].set_int64_param(12);
  (*message->mutable_parameters())["version_id"].set_string_param("v");
  auto& output = *message->add_outputs();
  output.set_name("feature");
  output.set_datatype("FP32");
  output.add_shape(1);
  output.add_shape(2);
  output.mutable_contents()->add_fp32_contents(1.5F);
  output.mutable_contents()->add_fp32_contents(-2);
  return message;
}

std::vector<float> floats(std::string_view data) {
  std::vector<float> values(data.size() / sizeof(float));
  std::memcpy(values.data(), data.data(), data.size());
  return values;
}

TEST(Proto, ReadsTypedAndRawContents) {
  auto message = typed_answer();
  const auto typed = parse(message);
  EXPECT_EQ(floats(typed.outputs.at(0).data), (std::vector<float>{1.5F, -2}));
  EXPECT_EQ(std::get<std::int64_t>(typed.parameters.at("queue_us")), 12);
  auto raw = std::make_shared<ModelInferResponse>(*message);
  raw->mutable_outputs(0)->clear_contents();
  raw->add_raw_output_contents(std::string(typed.outputs[0].data));
  EXPECT_EQ(floats(parse(raw).outputs.at(0).data), (std::vector<float>{1.5F, -2}));
}

TEST(Proto, RefusesWhatNoServerMaySay) {
  const auto refused = [](const std::function<void(ModelInferResponse&)>& change) {
    auto message = typed_answer();
    change(*message);
    return tests::message_of<wire::Error>([&] { parse(message); });
  };
  EXPECT_THAT(refused([](auto& m) { m.add_raw_output_contents("12345678"); }), HasSubstr("both raw and typed"));
  EXPECT_THAT(refused([](auto& m) { m.add_raw_output_contents("1"), m.add_raw_output_contents("2"); }),
              HasSubstr("another number of raw contents"));
  EXPECT_THAT(refused([](auto& m) { m.mutable_outputs(0)->set_datatype("FP31"); }), HasSubstr("FP31"));
  EXPECT_THAT(refused([](auto& m) { m.set_id(std::string(1000000, 'x')); }), HasSubstr("too long"));
  EXPECT_THAT(refused([](auto& m) { m.mutable_outputs(0)->set_name(std::string(300, 'x')); }), HasSubstr("too long"));
  EXPECT_THAT(refused([](auto& m) {
                for (int i = 0; i < 1000000; ++i) m.mutable_outputs(0)->add_shape(1);
              }),
              HasSubstr("too many dimensions"));
  EXPECT_THAT(refused([](auto& m) {
                for (int i = 0; i < 100; ++i) m.add_outputs();
              }),
              HasSubstr("too many tensors"));
  EXPECT_THAT(refused([](auto& m) {
                for (int i = 0; i < 100; ++i) (*m.mutable_parameters())[std::to_string(i)].set_bool_param(true);
              }),
              HasSubstr("too many parameters"));
}

TEST(Proto, RequestsTravelRaw) {
  wire::Request request;
  request.model = "net";
  request.id = "7";
  request.parameters.emplace(wire::kVersionId, std::string("v"));
  request.inputs.emplace_back("representation", wire::DataType::int8, wire::Shape{1, 3}, "abc");
  const auto message = to_proto(request);
  EXPECT_EQ(message.inputs(0).datatype(), "INT8");
  EXPECT_EQ(message.inputs(0).shape(1), 3);
  EXPECT_EQ(message.raw_input_contents(0), "abc");
  EXPECT_EQ(message.parameters().at("version_id").string_param(), "v");
}

}  // namespace
}  // namespace infoscissors::client

#endif
