#include "infoscissors/rpc/message.h"

#include "tests/rpc/support.h"

#include <gmock/gmock.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <random>

namespace infoscissors::rpc {
namespace {

using ::testing::HasSubstr;
using wire::Code;
using wire::DataType;

std::string refusal(const std::string& bytes, Code expected = Code::invalid_argument) {
  try {
    decode(bytes, nullptr);
  } catch (const wire::Error& error) {
    EXPECT_EQ(error.code(), expected) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "accepted";
  return {};
}

std::string refusal(const inference::ModelInferRequest& message, Code expected = Code::invalid_argument) {
  return refusal(message.SerializeAsString(), expected);
}

TEST(Decode, ReadsEveryField) {
  auto message = message_of(2, 5);
  message.set_model_version("v");
  message.set_id("id");
  auto& parameters = *message.mutable_parameters();
  parameters["b"].set_bool_param(true);
  parameters["i"].set_int64_param(-3);
  parameters["u"].set_uint64_param(3);
  parameters["d"].set_double_param(0.5);
  parameters["s"].set_string_param("text");
  message.add_outputs()->set_name("feature");
  const auto bytes = message.SerializeAsString();
  const auto decoded = decode(bytes, nullptr);
  const auto& request = decoded.request;
  EXPECT_FALSE(decoded.typed);
  EXPECT_EQ(request.model, "net");
  EXPECT_EQ(request.version, "v");
  EXPECT_EQ(request.id, "id");
  EXPECT_EQ(std::get<bool>(request.parameters.at("b")), true);
  EXPECT_EQ(std::get<std::int64_t>(request.parameters.at("i")), -3);
  EXPECT_EQ(std::get<std::int64_t>(request.parameters.at("u")), 3);
  EXPECT_EQ(std::get<double>(request.parameters.at("d")), 0.5);
  EXPECT_EQ(std::get<std::string>(request.parameters.at("s")), "text");
  EXPECT_EQ(request.outputs.at(0).name, "feature");
  EXPECT_EQ(request.inputs.at(0).name, "representation");
  EXPECT_EQ(request.inputs.at(0).datatype, DataType::fp32);
  EXPECT_EQ(request.inputs.at(0).shape, (wire::Shape{2, 4, 8, 8}));
  EXPECT_EQ(request.inputs.at(0).data, message.raw_input_contents(0));
  EXPECT_GE(request.inputs.at(0).data.data(), bytes.data()) << "not copied";
  EXPECT_LT(request.inputs.at(0).data.data(), bytes.data() + bytes.size());
}

TEST(Decode, FieldsMayComeInAnyOrderAndTwice) {
  // Protobuf's rule for messages that were concatenated: later scalars win, lists grow.
  inference::ModelInferRequest first, second;
  first.set_model_name("old");
  second.set_model_name("net");
  const auto whole = message_of(1, 1);
  first.add_raw_input_contents(whole.raw_input_contents(0));
  *second.add_inputs() = whole.inputs(0);
  const auto bytes = first.SerializeAsString() + second.SerializeAsString();
  const auto decoded = decode(bytes, nullptr);
  EXPECT_EQ(decoded.request.model, "net");
  EXPECT_EQ(decoded.request.inputs.at(0).data, whole.raw_input_contents(0));
}

TEST(Decode, TypedContents) {
  const auto floats = typed_message_of(1, 3).SerializeAsString();
  const auto decoded = decode(floats, nullptr);
  EXPECT_TRUE(decoded.typed);
  EXPECT_EQ(tests::floats_of(decoded.request.inputs.at(0).data), std::vector<float>(256, 3));
  inference::ModelInferRequest message;
  auto& input = *message.add_inputs();
  input.set_datatype("INT8");
  for (const int value : {-128, -1, 0, 127}) input.mutable_contents()->add_int_contents(value);
  EXPECT_EQ(decode(message.SerializeAsString(), nullptr).request.inputs.at(0).data,
            std::string_view("\x80\xff\x00\x7f", 4));
  input.mutable_contents()->add_int_contents(128);
  EXPECT_THAT(refusal(message), HasSubstr("cannot hold"));
  input.set_datatype("UINT8");
  EXPECT_THAT(refusal(message), HasSubstr("another datatype"));
  input.clear_contents();
  for (const unsigned value : {0U, 255U}) input.mutable_contents()->add_uint_contents(value);
  EXPECT_EQ(decode(message.SerializeAsString(), nullptr).request.inputs.at(0).data, std::string_view("\x00\xff", 2));
  input.mutable_contents()->add_uint_contents(256);
  EXPECT_THAT(refusal(message), HasSubstr("cannot hold"));
}

TEST(Decode, RefusesContentsThatAreNotServed) {
  const auto with = [](const std::function<void(inference::InferTensorContents&)>& fill) {
    auto message = message_of(1, 1);
    message.clear_raw_input_contents();
    fill(*message.mutable_inputs(0)->mutable_contents());
    return message;
  };
  EXPECT_THAT(refusal(with([](auto& contents) { contents.add_bool_contents(true); })), HasSubstr("typed contents"));
  EXPECT_THAT(refusal(with([](auto& contents) { contents.add_int64_contents(1); })), HasSubstr("typed contents"));
  EXPECT_THAT(refusal(with([](auto& contents) { contents.add_uint64_contents(1); })), HasSubstr("typed contents"));
  EXPECT_THAT(refusal(with([](auto& contents) { contents.add_fp64_contents(1); })), HasSubstr("typed contents"));
  EXPECT_THAT(refusal(with([](auto& contents) {
                for (int i = 0; i < 1'000'000; ++i) contents.add_bytes_contents("");
              })),
              HasSubstr("typed contents"));
  EXPECT_THAT(refusal(with([](auto& contents) { contents.add_int_contents(1); })), HasSubstr("another datatype"));
}

TEST(Decode, RefusesRawContentsThatDoNotPair) {
  auto message = message_of(1, 1);
  message.add_raw_input_contents("x");
  EXPECT_THAT(refusal(message), HasSubstr("2 raw_input_contents for 1 inputs"));
  message = message_of(1, 1);
  message.clear_inputs();
  EXPECT_THAT(refusal(message), HasSubstr("1 raw_input_contents for 0 inputs"));
  message = typed_message_of(1, 1);
  message.add_raw_input_contents("x");
  EXPECT_THAT(refusal(message), HasSubstr("beside raw"));
}

TEST(Decode, RefusesDatatypesAndSharedMemory) {
  auto message = message_of(1, 1);
  message.mutable_inputs(0)->set_datatype("FLOAT");
  EXPECT_THAT(refusal(message), HasSubstr("FLOAT"));
  message = message_of(1, 1);
  (*message.mutable_inputs(0)->mutable_parameters())["shared_memory_region"].set_string_param("x");
  EXPECT_THAT(refusal(message, Code::unsupported), HasSubstr("shared memory"));
}

TEST(Decode, RefusesFloods) {
  auto message = message_of(1, 1);
  for (int i = 0; i < 1'000'000; ++i) message.add_outputs();
  EXPECT_THAT(refusal(message), HasSubstr("16 requested outputs"));
  message = message_of(1, 1);
  for (int i = 0; i < 1'000'000; ++i) message.add_inputs();
  EXPECT_THAT(refusal(message), HasSubstr("16 inputs"));
  message = message_of(1, 1);
  for (int i = 0; i < 1'000'000; ++i) message.add_raw_input_contents();
  EXPECT_THAT(refusal(message), HasSubstr("16 raw_input_contents"));
  message = message_of(1, 1);
  for (int i = 0; i < 1'000'000; ++i) message.mutable_inputs(0)->add_shape(1);
  EXPECT_THAT(refusal(message), HasSubstr("dimensions"));
  message = message_of(1, 1);
  for (int i = 0; i < 1000; ++i) (*message.mutable_parameters())[std::to_string(i)];
  EXPECT_THAT(refusal(message), HasSubstr("32 parameters"));
  message = message_of(1, 1);
  for (int i = 0; i < 1000; ++i) (*message.mutable_inputs(0)->mutable_parameters())[std::to_string(i)];
  EXPECT_THAT(refusal(message), HasSubstr("32 parameters"));
  message = message_of(1, 1);
  for (int i = 0; i < 1000; ++i) (*message.add_outputs()->mutable_parameters())["a"];
  EXPECT_THAT(refusal(message), HasSubstr("16 requested outputs"));
  std::string names;
  for (int i = 0; i < 1000; ++i) names += std::string("\x0a\x01n", 3);  // model_name again and again
  EXPECT_THAT(refusal(names), HasSubstr("64 fields"));
  std::string shape;
  for (int i = 0; i < 1000; ++i) shape += std::string("\x18\x01", 2);  // unpacked dimensions
  EXPECT_THAT(refusal(std::string("\x2a\xd0\x0f", 3) + shape), HasSubstr("dimensions"));
}

TEST(Decode, UnknownFieldsAreSkippedAtTheTop) {
  auto bytes = message_of(1, 1).SerializeAsString();
  for (int i = 0; i < 100000; ++i) bytes += std::string("\x78\x01", 2);  // field 15
  EXPECT_EQ(decode(bytes, nullptr).request.model, "net");
}

TEST(Decode, RefusesWhatIsNoMessage) {
  const auto good = message_of(1, 1).SerializeAsString();
  for (const auto& bytes :
       {std::string("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), std::string("\x0a\xff\xff\xff\xff\x0f"),
        std::string("\x0a\x05"
                    "ab"),
        std::string("\x00\x00", 2), std::string("\x0b\x0b\x0b\x0b"), std::string("\x2a\x02\x2a\x7f"),
        std::string("\x38\x01"),          // raw_input_contents as a number
        std::string("\x0a\x02\xc3\x28"),  // a model's name that is not UTF-8
        good.substr(0, good.size() / 2), good.substr(0, 7)}) {
    EXPECT_THAT(refusal(bytes), HasSubstr("no ModelInferRequest"));
  }
  // An empty message is one: everything is missing, which is for the core to say.
  EXPECT_TRUE(decode("", nullptr).request.inputs.empty());
}

TEST(Decode, SurvivesDamage) {
  // 4,000 damaged messages, seed 1: none may crash, and what is accepted must view bytes of the message.
  auto message = typed_message_of(1, 1);
  message.mutable_inputs(0)->mutable_contents()->mutable_fp32_contents()->Truncate(8);
  (*message.mutable_parameters())["version_id"].set_string_param("x");
  message.add_outputs()->set_name("feature");
  std::mt19937 random(1);
  for (const auto& good : {message.SerializeAsString(), message_of(1, 1).SerializeAsString().substr(0, 200)}) {
    for (int i = 0; i < 2000; ++i) {
      auto bytes = good;
      for (int change = 0; change < 1 + i % 4; ++change) bytes[random() % bytes.size()] = static_cast<char>(random());
      try {
        const auto decoded = decode(bytes, nullptr);
        if (decoded.typed) continue;
        for (const auto& input : decoded.request.inputs) {
          ASSERT_GE(input.data.data(), bytes.data());
          ASSERT_LE(input.data.data() + input.data.size(), bytes.data() + bytes.size());
        }
      } catch (const wire::Error&) {
      }
    }
  }
}

wire::Response response_of(const std::vector<float>& values) {
  wire::Response response;
  response.model = "net";
  response.version = "v";
  response.id = "id";
  response.parameters = {{"b", true}, {"d", 0.5}, {"i", std::int64_t{-1}}, {"s", std::string("text")}};
  const auto* bytes = reinterpret_cast<const char*>(values.data());
  for (const auto* name : {"one", "two"}) {
    wire::Tensor tensor(name, DataType::fp32, {1, static_cast<std::int64_t>(values.size())}, {});
    tensor.own({bytes, bytes + values.size() * sizeof(float)});
    response.outputs.push_back(std::move(tensor));
  }
  return response;
}

std::string text_of(const grpc::ByteBuffer& buffer) {
  grpc::Slice slice;
  EXPECT_TRUE(buffer.DumpToSingleSlice(&slice).ok());
  return {reinterpret_cast<const char*>(slice.begin()), slice.size()};
}

TEST(Encode, RawTypedAndStreamed) {
  const std::vector<float> values(300, 1.5F);
  for (const bool typed : {false, true}) {
    inference::ModelInferResponse message;
    ASSERT_TRUE(message.ParseFromString(text_of(encode(response_of(values), typed, false))));
    EXPECT_EQ(message.id(), "id");
    EXPECT_EQ(message.parameters().at("i").int64_param(), -1);
    EXPECT_EQ(message.parameters().at("s").string_param(), "text");
    EXPECT_EQ(message.parameters().at("d").double_param(), 0.5);
    EXPECT_TRUE(message.parameters().at("b").bool_param());
    ASSERT_EQ(message.outputs_size(), 2);
    EXPECT_EQ(message.outputs(1).name(), "two");
    EXPECT_EQ(message.outputs(1).datatype(), "FP32");
    EXPECT_EQ(message.outputs(1).shape(1), 300);
    EXPECT_EQ(message.raw_output_contents_size(), typed ? 0 : 2);
    EXPECT_EQ(message.outputs(1).contents().fp32_contents_size(), typed ? 300 : 0);
    if (!typed) {
      EXPECT_EQ(tests::floats_of(message.raw_output_contents(1)), values);
    } else {
      EXPECT_EQ(message.outputs(1).contents().fp32_contents(299), 1.5F);
    }
    inference::ModelStreamInferResponse stream;
    ASSERT_TRUE(stream.ParseFromString(text_of(encode(response_of(values), typed, true))));
    EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(stream.infer_response(), message));
    EXPECT_TRUE(stream.error_message().empty());
  }
  inference::ModelStreamInferResponse error;
  ASSERT_TRUE(error.ParseFromString(text_of(encode_error("wrong", "id"))));
  EXPECT_EQ(error.error_message(), "wrong");
  EXPECT_EQ(error.infer_response().id(), "id");
}

}  // namespace
}  // namespace infoscissors::rpc
