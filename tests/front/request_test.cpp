#include "infoscissors/front/request.h"

#include "tests/support/bytes.h"

#include "tests/front/expect_code.h"

#include <cstring>

namespace infoscissors::front {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const Route kInfer{.kind = Route::Kind::infer, .model = "enc", .version = "7"};

wire::Signature signature() {
  return {.input = {.name = "r", .datatype = wire::DataType::fp32, .shape = {-1, 2}},
          .output = {.name = "v", .datatype = wire::DataType::fp32, .shape = {-1, 3}}};
}

InferRequest parse(std::string body, std::optional<std::string_view> length = {}) {
  return parse_infer(kInfer, length, std::make_shared<const std::string>(std::move(body)), signature);
}

std::string refusal(const std::string& body, std::optional<std::string_view> length = {}) {
  return refusal_of([&] { parse(body, length); });
}

std::vector<float> floats(const wire::Tensor& tensor) {
  std::vector<float> values(tensor.data.size() / sizeof(float));
  std::memcpy(values.data(), tensor.data.data(), tensor.data.size());
  return values;
}

// An input named r with these members beside its name.
std::string with_input(const std::string& members) {
  return R"({"inputs":[{"name":"r",)" + members + "}]}";
}

TEST(InferRequest, ReadsJson) {
  const auto parsed = parse(R"({"id":"a7","parameters":{"version_id":"12","n":3,"x":0.5,"y":true},
    "inputs":[{"name":"r","shape":[2,2],"datatype":"FP32","data":[1,2.5,-3e1,0]}],
    "outputs":[{"name":"v","parameters":{"binary_data":true}}],"extension":{"deep":[[{}]]}})");
  const auto& request = parsed.request;
  EXPECT_EQ(request.model, "enc");
  EXPECT_EQ(request.version, "7");
  EXPECT_EQ(request.id, "a7");
  EXPECT_EQ(std::get<std::string>(request.parameters.at("version_id")), "12");
  EXPECT_EQ(std::get<std::int64_t>(request.parameters.at("n")), 3);
  EXPECT_EQ(std::get<double>(request.parameters.at("x")), 0.5);
  EXPECT_TRUE(std::get<bool>(request.parameters.at("y")));
  ASSERT_EQ(request.inputs.size(), 1U);
  EXPECT_EQ(request.inputs[0].shape, (wire::Shape{2, 2}));
  EXPECT_EQ(floats(request.inputs[0]), (std::vector<float>{1, 2.5, -30, 0}));
  ASSERT_EQ(request.outputs.size(), 1U);
  EXPECT_TRUE(request.outputs[0].parameters.empty()) << "the transport's parameters are not the server's";
  EXPECT_TRUE(parsed.form.binary_for("v"));
  EXPECT_FALSE(parsed.form.binary_for("other"));
}

TEST(InferRequest, OrderOfKeysDoesNotMatter) {
  const auto parsed = parse(R"({"inputs":[{"data":[[1,2]],"datatype":"FP32","name":"r","shape":[1,2]}]})");
  EXPECT_EQ(floats(parsed.request.inputs[0]), (std::vector<float>{1, 2}));
}

TEST(InferRequest, ReadsWholeNumbersForQuantisedTensors) {
  const auto parsed = parse(with_input(R"("shape":[1,2],"datatype":"INT8","data":[-128,127])"));
  EXPECT_EQ(parsed.request.inputs[0].data, std::string_view("\x80\x7f", 2));
  const auto unsigned_one = parse(with_input(R"("shape":[1,2],"datatype":"UINT8","data":[0,255])"));
  EXPECT_EQ(unsigned_one.request.inputs[0].data, std::string_view("\0\xff", 2));
  EXPECT_THAT(refusal(with_input(R"("shape":[1,1],"datatype":"INT8","data":[128])")), HasSubstr("cannot hold"));
  EXPECT_THAT(refusal(with_input(R"("shape":[1,1],"datatype":"UINT8","data":[-1])")), HasSubstr("cannot hold"));
  EXPECT_THAT(refusal(with_input(R"("shape":[1,1],"datatype":"INT8","data":[1.5])")), HasSubstr("fractions"));
  EXPECT_THAT(refusal(with_input(R"("shape":[1,1],"datatype":"INT8","data":[99999])")), HasSubstr("cannot hold"));
}

TEST(InferRequest, TheBinaryExtensionViewsIntoTheBody) {
  const auto tail = tests::bytes_of({1, 2, 3, 4});
  const std::string head = R"({"parameters":{"binary_data_output":true},"inputs":[)"
                           R"({"name":"r","shape":[1,2],"datatype":"FP32","parameters":{"binary_data_size":8}},)"
                           R"({"name":"s","shape":[1,2],"datatype":"FP32","parameters":{"binary_data_size":8}}]})";
  const auto parsed = parse(head + tail, std::to_string(head.size()));
  ASSERT_EQ(parsed.request.inputs.size(), 2U);
  EXPECT_EQ(floats(parsed.request.inputs[0]), (std::vector<float>{1, 2}));
  EXPECT_EQ(floats(parsed.request.inputs[1]), (std::vector<float>{3, 4}));
  EXPECT_TRUE(parsed.request.inputs[0].storage.empty());
  EXPECT_TRUE(parsed.form.binary_for("v"));
  EXPECT_TRUE(parsed.request.parameters.empty());
}

TEST(InferRequest, ARawBodyIsTheWholeInput) {
  const auto parsed = parse(tests::bytes_of({1, 2, 3, 4}), "0");
  ASSERT_EQ(parsed.request.inputs.size(), 1U);
  EXPECT_EQ(parsed.request.inputs[0].name, "r");
  EXPECT_EQ(parsed.request.inputs[0].shape, (wire::Shape{2, 2}));
  EXPECT_EQ(floats(parsed.request.inputs[0]), (std::vector<float>{1, 2, 3, 4}));
  EXPECT_TRUE(parsed.form.binary_for("v"));
  EXPECT_THAT(refusal(tests::bytes_of({1, 2, 3}), "0"), HasSubstr("no whole number of rows"));
  EXPECT_THAT(refusal("", "0"), HasSubstr("no whole number of rows"));
}

TEST(InferRequest, LengthsOfTheJsonAreChecked) {
  for (const auto* length : {"", "-1", "+3", "3x", "0x10", "99", "18446744073709551616", " 3"})
    EXPECT_THAT(refusal("{}", length), StartsWith("invalid_argument: Inference-Header-Content-Length: ")) << length;
}

TEST(InferRequest, BinarySizesMustFitTheBodyExactly) {
  const auto with_size = [](const std::string& size) {
    return with_input(R"("shape":[1,2],"datatype":"FP32","parameters":{"binary_data_size":)" + size + "}");
  };
  const auto refusal_with = [&](const std::string& size, const std::string& tail) {
    const auto head = with_size(size);
    return refusal(head + tail, std::to_string(head.size()));
  };
  EXPECT_THAT(refusal_with("8", "1234567"), HasSubstr("announces 8 binary bytes, but 7 are left"));
  EXPECT_THAT(refusal_with("7", "12345678"), HasSubstr("1 bytes behind the JSON belong to no input"));
  EXPECT_THAT(refusal_with("-8", "12345678"), HasSubstr("announces -8"));
  EXPECT_THAT(refusal_with("9223372036854775807", "12345678"), HasSubstr("are left"));
  EXPECT_THAT(refusal_with("18446744073709551615", "12345678"), HasSubstr("64 bits"));
  EXPECT_THAT(refusal_with("8.0", "12345678"), HasSubstr("a fraction as the value of 'binary_data_size'"));
  EXPECT_THAT(refusal_with("\"8\"", "12345678"), HasSubstr("a string as the value of 'binary_data_size'"));
  EXPECT_THAT(refusal(with_size("8")), HasSubstr("but 0 are left")) << "without the header everything is JSON";
}

struct Bad {
  const char* name;
  std::string body;
  std::string message;
};

void PrintTo(const Bad& bad, std::ostream* out) {
  *out << bad.name;
}

std::string repeated(const std::string& text, int count) {
  std::string all;
  for (int i = 0; i < count; ++i) all += text;
  return all;
}

class BadJson : public testing::TestWithParam<Bad> {};

TEST_P(BadJson, IsRefused) {
  const auto message = refusal(GetParam().body);
  EXPECT_THAT(message, StartsWith("invalid_argument: "));
  EXPECT_THAT(message, HasSubstr(GetParam().message));
  EXPECT_LT(message.size(), 300U);
}

const std::string kTensor = R"({"name":"r","shape":[1],"datatype":"FP32","data":[1]})";

INSTANTIATE_TEST_SUITE_P(
    All, BadJson,
    testing::Values(
        Bad{"empty", "", "not valid at byte"}, Bad{"cut", R"({"inputs":[)", "not valid at byte"},
        Bad{"trailing", "{} x", "not valid at byte"}, Bad{"list", "[]", "an array where the request's object"},
        Bad{"number", "3", "a number where the request's object"},
        Bad{"nan", with_input(R"("shape":[1],"datatype":"FP32","data":[NaN])"), "not valid at byte"},
        Bad{"overflow", with_input(R"("shape":[1],"datatype":"FP32","data":[1e999])"), "not valid at byte"},
        Bad{"utf8", "{\"id\":\"\xff\"}", "not valid at byte"},
        Bad{"deep", R"({"x":)" + repeated("[", 101), "nested deeper than 100 levels"},
        Bad{"very_deep", repeated("[", 1000000), "an array where"},
        Bad{"deep_objects", repeated(R"({"x":)", 1000), "nested deeper than 100 levels"},
        Bad{"deep_data", with_input(R"("data":)" + repeated("[", 9)), "data nested deeper than 8 levels"},
        Bad{"rank", with_input(R"("shape":[)" + repeated("1,", 1000000)), "more than 8 sizes in a shape"},
        Bad{"fraction_in_shape", with_input(R"("shape":[1.5])"), "a fraction in a shape"},
        Bad{"nested_shape", with_input(R"("shape":[[1]])"), "an array in a shape"},
        Bad{"text_in_data", with_input(R"("data":["secret"])"), "a string in a tensor's data"},
        Bad{"null_in_data", with_input(R"("data":[null])"), "null in a tensor's data"},
        Bad{"object_in_data", with_input(R"("data":[{}])"), "an object in a tensor's data"},
        Bad{"data_no_list", with_input(R"("data":3)"), "a number as the value of 'data'"},
        Bad{"outputs", R"({"outputs":[)" + repeated(R"({"name":"v"},)", 1000000), "more than 16 requested outputs"},
        Bad{"inputs", R"({"inputs":[)" + repeated("{},", 1000), "more than 16 inputs"},
        Bad{"parameters",
            R"({"parameters":{)" +
                [] {
                  std::string all;
                  for (int i = 0; i < 40; ++i) all += fmt::format("\"p{}\":1,", i);
                  return all;
                }(),
            "more than 32 parameters"},
        Bad{"nested_parameter", R"({"parameters":{"a":[1]}})", "an array as the value of 'a'"},
        Bad{"null_parameter", R"({"parameters":{"a":null}})", "null as the value of 'a'"},
        Bad{"double_parameter", R"({"parameters":{"a":1,"a":2}})", "'a' is given twice"},
        Bad{"huge_integer", R"({"parameters":{"a":18446744073709551615}})", "64 bits"},
        Bad{"double_id", R"({"id":"a","id":"b"})", "'id' is given twice"},
        Bad{"double_inputs", R"({"inputs":[],"inputs":[]})", "'inputs' is given twice"},
        Bad{"double_data", with_input(R"("data":[1],"data":[2])"), "'data' is given twice"},
        Bad{"id_number", R"({"id":7})", "a number as the value of 'id'"},
        Bad{"inputs_object", R"({"inputs":{}})", "an object as the value of 'inputs'"},
        Bad{"input_number", R"({"inputs":[7]})", "a number in a list of tensors"},
        Bad{"long_id", R"({"id":")" + std::string(1 << 20, 'a') + "\"}", "a string has 1048576 bytes"},
        Bad{"long_key", "{\"" + std::string(1 << 20, 'a') + "\":1}", "a key has 1048576 bytes"},
        Bad{"no_name", R"({"inputs":[{"shape":[1],"datatype":"FP32","data":[1]}]})", "has no name"},
        Bad{"no_shape", with_input(R"("datatype":"FP32","data":[1])"), "has no shape"},
        Bad{"no_datatype", with_input(R"("shape":[1],"data":[1])"), "has no datatype"},
        Bad{"wrong_datatype", with_input(R"("shape":[1],"datatype":"FP31","data":[1])"), "FP31"},
        Bad{"no_data", with_input(R"("shape":[1],"datatype":"FP32")"), "needs either data or binary_data_size"},
        Bad{"both", with_input(R"("shape":[1],"datatype":"FP32","data":[1],"parameters":{"binary_data_size":0})"),
            "not both"},
        Bad{"half", with_input(R"("shape":[1],"datatype":"FP16","data":[1])"), "binary extension only"},
        Bad{"ragged", with_input(R"("shape":[2,2],"datatype":"FP32","data":[[1,2],[3]])"), "rows of 2 and of 1 values"},
        Bad{"mixed", with_input(R"("shape":[2,2],"datatype":"FP32","data":[1,[2]])"), "side by side"},
        Bad{"mixed_back", with_input(R"("shape":[2,2],"datatype":"FP32","data":[[1],2])"), "side by side"},
        Bad{"other_nesting", with_input(R"("shape":[1,4],"datatype":"FP32","data":[[1,2],[3,4]])"), "nested as [2,2]"},
        Bad{"flag", R"({"parameters":{"binary_data_output":1}})", "must be true or false"}),
    [](const auto& test) { return test.param.name; });

TEST(InferRequest, SharedMemoryIsNotOffered) {
  EXPECT_THAT(refusal(with_input(R"("parameters":{"shared_memory_region":"x"})")), StartsWith("unsupported: "));
}

TEST(InferRequest, AMessageNeverQuotesAnElement) {
  for (const auto* body :
       {R"({"inputs":[{"name":"r","data":[123456.5,oops]}]})", R"({"inputs":[{"data":[123456.5,"123456.5"]}]})",
        R"({"inputs":[{"name":"r","shape":[1],"datatype":"INT8","data":[123456]}]})", "123456.5"})
    EXPECT_THAT(refusal(body), Not(HasSubstr("123456"))) << body;
}

TEST(InferRequest, AnEmptyDocumentHasNoInputs) {
  EXPECT_TRUE(parse("{}").request.inputs.empty());
}

}  // namespace
}  // namespace infoscissors::front
