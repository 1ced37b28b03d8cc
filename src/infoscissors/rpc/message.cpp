#include "infoscissors/rpc/message.h"

#include "infoscissors/rpc/scan.h"

#include "open_inference_grpc.pb.h"

#include <google/protobuf/io/coded_stream.h>
#include <grpcpp/support/slice.h>

#include <cstring>

namespace infoscissors::rpc {
namespace {

using wire::Code;
using wire::DataType;
using wire::Error;
using Input = inference::ModelInferRequest::InferInputTensor;
using ProtoParameters = google::protobuf::Map<std::string, inference::InferParameter>;

constexpr char kRawTag = (6 << 3) | 2;       // ModelInferResponse.raw_output_contents
constexpr char kResponseTag = (2 << 3) | 2;  // ModelStreamInferResponse.infer_response

wire::Parameter parameter_of(const inference::InferParameter& parameter) {
  switch (parameter.parameter_choice_case()) {
    case inference::InferParameter::kBoolParam:
      return parameter.bool_param();
    case inference::InferParameter::kInt64Param:
      return std::int64_t{parameter.int64_param()};
    case inference::InferParameter::kUint64Param:
      return static_cast<std::int64_t>(parameter.uint64_param());
    case inference::InferParameter::kDoubleParam:
      return parameter.double_param();
    case inference::InferParameter::kStringParam:
      return parameter.string_param();
    default:
      return std::string();
  }
}

wire::Parameters parameters_of(const ProtoParameters& parameters) {
  wire::Parameters result;
  for (const auto& [key, value] : parameters) result.emplace(key, parameter_of(value));
  return result;
}

template <class Value, class Field>
std::vector<char> pack(const Field& field, std::string_view tensor) {
  std::vector<char> bytes(static_cast<std::size_t>(field.size()) * sizeof(Value));
  for (int i = 0; i < field.size(); ++i) {
    const auto value = static_cast<Value>(field[i]);
    if (static_cast<decltype(field[i] + 0)>(value) != field[i]) {
      throw Error(Code::invalid_argument, "input '{}' has values that its datatype cannot hold",
                  wire::printable(tensor));
    }
    std::memcpy(bytes.data() + static_cast<std::size_t>(i) * sizeof(Value), &value, sizeof(Value));
  }
  return bytes;
}

/// Typed contents as raw bytes. Other datatypes that are served have no typed form.
std::vector<char> pack(const Input& input, DataType type) {
  const auto& contents = input.contents();
  const bool others = (type != DataType::int8 && contents.int_contents_size() > 0) ||
                      (type != DataType::uint8 && contents.uint_contents_size() > 0) ||
                      (type != DataType::fp32 && contents.fp32_contents_size() > 0);
  if (others) {
    throw Error(Code::invalid_argument, "input '{}' has contents of another datatype than {}",
                wire::printable(input.name()), wire::name(type));
  }
  if (type == DataType::int8) return pack<std::int8_t>(contents.int_contents(), input.name());
  if (type == DataType::uint8) return pack<std::uint8_t>(contents.uint_contents(), input.name());
  const auto& values = contents.fp32_contents();
  const auto* first = reinterpret_cast<const char*>(values.data());
  return {first, first + static_cast<std::size_t>(values.size()) * sizeof(float)};
}

wire::Tensor tensor_of(Input& input) {
  wire::Tensor tensor;
  tensor.datatype = wire::parse_datatype(input.datatype());
  tensor.shape.assign(input.shape().begin(), input.shape().end());
  tensor.name = std::move(*input.mutable_name());
  return tensor;
}

void read_inputs(inference::ModelInferRequest& message, const std::vector<std::string_view>& raw, Decoded& decoded) {
  auto& inputs = decoded.request.inputs;
  const auto count = static_cast<std::size_t>(message.inputs_size());
  if (!raw.empty() && raw.size() != count) {
    throw Error(Code::invalid_argument, "{} raw_input_contents for {} inputs", raw.size(), count);
  }
  inputs.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    auto& input = *message.mutable_inputs(static_cast<int>(i));
    if (!raw.empty() && input.has_contents()) {
      throw Error(Code::invalid_argument, "input '{}' has typed contents beside raw ones",
                  wire::printable(input.name()));
    }
    for (const auto& entry : input.parameters()) {
      if (entry.first.starts_with("shared_memory")) {
        throw Error(Code::unsupported, "shared memory is not offered: it would keep private tensors");
      }
    }
    std::vector<char> typed;
    if (raw.empty()) typed = pack(input, wire::parse_datatype(input.datatype()));
    inputs.push_back(tensor_of(input));
    if (raw.empty()) {
      inputs.back().own(std::move(typed));
    } else {
      inputs.back().data = raw[i];
    }
  }
  decoded.typed = raw.empty();
}

void write_parameters(const wire::Parameters& parameters, ProtoParameters& target) {
  struct Writer {
    inference::InferParameter& to;
    void operator()(bool value) const { to.set_bool_param(value); }
    void operator()(std::int64_t value) const { to.set_int64_param(value); }
    void operator()(double value) const { to.set_double_param(value); }
    void operator()(const std::string& value) const { to.set_string_param(value); }
  };
  for (const auto& [key, value] : parameters) std::visit(Writer{target[key]}, value);
}

void append_varint(std::string& text, std::uint64_t value) {
  std::uint8_t bytes[10];
  const auto* end = google::protobuf::io::CodedOutputStream::WriteVarint64ToArray(value, bytes);
  text.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(end - bytes));
}

std::size_t varint_size(std::uint64_t value) {
  return google::protobuf::io::CodedOutputStream::VarintSize64(value);
}

/// A message that keeps the text instead of a copy of it.
grpc::ByteBuffer buffer_of(std::string text) {
  auto* kept = new std::string(std::move(text));
  const grpc::Slice slice(
      kept->data(), kept->size(), [](void* owner) { delete static_cast<std::string*>(owner); }, kept);
  return {&slice, 1};
}

inference::ModelInferResponse head_of(const wire::Response& response, bool typed) {
  inference::ModelInferResponse message;
  message.set_model_name(response.model);
  message.set_model_version(response.version);
  message.set_id(response.id);
  write_parameters(response.parameters, *message.mutable_parameters());
  for (const auto& output : response.outputs) {
    auto& added = *message.add_outputs();
    added.set_name(output.name);
    added.set_datatype(std::string(wire::name(output.datatype)));
    for (const auto size : output.shape) added.add_shape(size);
    if (!typed) continue;
    auto& values = *added.mutable_contents()->mutable_fp32_contents();
    values.Resize(static_cast<int>(output.data.size() / sizeof(float)), 0);
    std::memcpy(values.mutable_data(), output.data.data(), output.data.size());
  }
  return message;
}

}  // namespace

Decoded decode(std::string_view bytes, std::shared_ptr<const void> keep) {
  const auto scanned = scan(bytes);
  inference::ModelInferRequest message;
  if (!message.ParseFromString(scanned.rest)) {
    throw Error(Code::invalid_argument, "the message is no ModelInferRequest");
  }
  Decoded decoded;
  auto& request = decoded.request;
  request.model = std::move(*message.mutable_model_name());
  request.version = std::move(*message.mutable_model_version());
  request.id = std::move(*message.mutable_id());
  request.parameters = parameters_of(message.parameters());
  read_inputs(message, scanned.raw, decoded);
  for (auto& output : *message.mutable_outputs()) {
    request.outputs.push_back({std::move(*output.mutable_name()), parameters_of(output.parameters())});
  }
  request.keep = std::move(keep);
  return decoded;
}

Decoded decode(const grpc::ByteBuffer& message) {
  auto slice = std::make_shared<grpc::Slice>();
  if (!message.TrySingleSlice(slice.get()).ok() && !message.DumpToSingleSlice(slice.get()).ok()) {
    throw Error(Code::invalid_argument, "the message cannot be read");
  }
  const std::string_view bytes(reinterpret_cast<const char*>(slice->begin()), slice->size());
  return decode(bytes, std::move(slice));
}

grpc::ByteBuffer encode(const wire::Response& response, bool typed, bool stream) {
  // The tensors are written behind the message's other fields without passing through a message of their own.
  const auto head = head_of(response, typed).SerializeAsString();
  std::size_t size = head.size();
  if (!typed) {
    for (const auto& output : response.outputs) size += 1 + varint_size(output.data.size()) + output.data.size();
  }
  std::string text;
  text.reserve(size + 16);
  if (stream) {
    text += kResponseTag;
    append_varint(text, size);
  }
  text += head;
  if (!typed) {
    for (const auto& output : response.outputs) {
      text += kRawTag;
      append_varint(text, output.data.size());
      text.append(output.data);
    }
  }
  return buffer_of(std::move(text));
}

grpc::ByteBuffer encode_error(const std::string& message, const std::string& id) {
  inference::ModelStreamInferResponse response;
  response.set_error_message(message);
  response.mutable_infer_response()->set_id(id);
  return buffer_of(response.SerializeAsString());
}

}  // namespace infoscissors::rpc
