#ifdef INFOSCISSORS_GRPC

#include "infoscissors/client/proto.h"

#include "infoscissors/wire/error.h"

namespace infoscissors::client {
namespace {

using wire::Code;
using wire::Error;

constexpr int kMostTensors = 16, kMostParameters = 64, kHighestRank = 8;
constexpr std::size_t kLongestText = 256;

void bound(bool within, const char* what) {
  if (!within) throw Error(Code::internal, "the server's answer has {}", what);
}

const std::string& text(const std::string& value) {
  bound(value.size() <= kLongestText, "a text that is too long");
  return value;
}

template <class Message>
wire::TensorSpec spec_of(const Message& tensor) {
  bound(tensor.shape_size() <= kHighestRank, "a tensor of too many dimensions");
  const std::string_view type = text(tensor.datatype());
  try {
    return {text(tensor.name()), wire::parse_datatype(type), {tensor.shape().begin(), tensor.shape().end()}};
  } catch (const Error& error) {
    throw Error(Code::internal, "the server's answer: {}", error.what());
  }
}

void put(const wire::Parameter& value, inference::InferParameter& target) {
  if (const auto* flag = std::get_if<bool>(&value)) target.set_bool_param(*flag);
  if (const auto* whole = std::get_if<std::int64_t>(&value)) target.set_int64_param(*whole);
  if (const auto* number = std::get_if<double>(&value)) target.set_double_param(*number);
  if (const auto* words = std::get_if<std::string>(&value)) target.set_string_param(*words);
}

/// Those of a type that no parameter here has are left out.
template <class Map>
wire::Parameters parameters_of(const Map& map) {
  bound(map.size() <= kMostParameters, "too many parameters");
  wire::Parameters parameters;
  for (const auto& [key, value] : map) {
    using enum inference::InferParameter::ParameterChoiceCase;
    switch (value.parameter_choice_case()) {
      case kBoolParam:
        parameters.emplace(text(key), value.bool_param());
        break;
      case kInt64Param:
        parameters.emplace(text(key), value.int64_param());
        break;
      case kDoubleParam:
        parameters.emplace(text(key), value.double_param());
        break;
      case kStringParam:
        parameters.emplace(text(key), text(value.string_param()));
        break;
      default:
        break;
    }
  }
  return parameters;
}

/// The bytes of typed contents. Only FP32 can be an answer of an encoder.
std::string_view typed(const inference::ModelInferResponse::InferOutputTensor& output) {
  const auto& floats = output.contents().fp32_contents();
  return {reinterpret_cast<const char*>(floats.data()), static_cast<std::size_t>(floats.size()) * sizeof(float)};
}

}  // namespace

inference::ModelInferRequest to_proto(const wire::Request& request) {
  inference::ModelInferRequest message;
  message.set_model_name(request.model);
  message.set_model_version(request.version);
  message.set_id(request.id);
  for (const auto& [key, value] : request.parameters) put(value, (*message.mutable_parameters())[key]);
  for (const auto& tensor : request.inputs) {
    auto& input = *message.add_inputs();
    input.set_name(tensor.name);
    input.set_datatype(std::string(wire::name(tensor.datatype)));
    input.mutable_shape()->Add(tensor.shape.begin(), tensor.shape.end());
    message.add_raw_input_contents(tensor.data.data(), tensor.data.size());
  }
  return message;
}

wire::Response parse(std::shared_ptr<const inference::ModelInferResponse> message) {
  bound(message->outputs_size() <= kMostTensors, "too many tensors");
  const int raw = message->raw_output_contents_size();
  bound(raw == 0 || raw == message->outputs_size(), "another number of raw contents than of tensors");
  wire::Response response;
  response.model = text(message->model_name());
  response.version = text(message->model_version());
  response.id = text(message->id());
  response.parameters = parameters_of(message->parameters());
  for (int i = 0; i < message->outputs_size(); ++i) {
    const auto& output = message->outputs(i);
    bound(raw == 0 || !output.has_contents(), "a tensor with both raw and typed contents");
    auto spec = spec_of(output);
    const std::string_view data = raw > 0 ? std::string_view(message->raw_output_contents(i)) : typed(output);
    response.outputs.emplace_back(std::move(spec.name), spec.datatype, std::move(spec.shape), data);
  }
  response.keep = std::move(message);
  return response;
}

ModelMetadata parse(const inference::ModelMetadataResponse& message) {
  bound(message.inputs_size() <= kMostTensors && message.outputs_size() <= kMostTensors, "too many tensors");
  ModelMetadata metadata;
  for (const auto& input : message.inputs()) metadata.inputs.push_back(spec_of(input));
  for (const auto& output : message.outputs()) metadata.outputs.push_back(spec_of(output));
  return metadata;
}

}  // namespace infoscissors::client

#endif
