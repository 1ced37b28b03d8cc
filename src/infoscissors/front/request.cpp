#include "infoscissors/front/request.h"

#include "infoscissors/front/json_request.h"
#include "infoscissors/wire/error.h"

#include <charconv>
#include <cstring>
#include <limits>
#include <utility>

namespace infoscissors::front {
namespace {

using wire::Code;
using wire::Error;
using wire::Tensor;

constexpr std::string_view kBinary = "binary_data";
constexpr std::string_view kBinaryOutputs = "binary_data_output";

// Takes a parameter of the transport's out of those for the server.
std::optional<bool> take_flag(wire::Parameters& parameters, std::string_view key) {
  const auto found = parameters.find(key);
  if (found == parameters.end()) return {};
  const auto* flag = std::get_if<bool>(&found->second);
  if (flag == nullptr) throw Error(Code::invalid_argument, "the parameter '{}' must be true or false", key);
  const bool value = *flag;
  parameters.erase(found);
  return value;
}

template <class Element>
void convert_to(const JsonInput& input, std::vector<char>& bytes) {
  constexpr float kLow = std::numeric_limits<Element>::min(), kHigh = std::numeric_limits<Element>::max();
  bytes.resize(input.data.size() * sizeof(Element));
  for (std::size_t i = 0; i < input.data.size(); ++i) {
    if (!(input.data[i] >= kLow && input.data[i] <= kHigh))
      throw Error(Code::invalid_argument, "input '{}' has a value that {} cannot hold", wire::printable(input.name),
                  *input.datatype);
    const auto element = static_cast<Element>(input.data[i]);
    std::memcpy(bytes.data() + i * sizeof(Element), &element, sizeof(Element));
  }
}

std::vector<char> bytes_of(const JsonInput& input, wire::DataType type) {
  std::vector<char> bytes;
  if (type == wire::DataType::fp32) {
    bytes.resize(input.data.size() * sizeof(float));
    if (!bytes.empty()) std::memcpy(bytes.data(), input.data.data(), bytes.size());
    return bytes;
  }
  if (type == wire::DataType::fp16 || type == wire::DataType::bf16) {
    throw Error(Code::invalid_argument, "input '{}': {} travels in the binary extension only",
                wire::printable(input.name), wire::name(type));
  }
  // Nothing but these is served, so the check against the model refuses the rest by its datatype, without its data.
  if (type != wire::DataType::int8 && type != wire::DataType::uint8) return bytes;
  if (!input.all_integers)
    throw Error(Code::invalid_argument, "input '{}' has fractions in whole numbers", wire::printable(input.name));
  if (type == wire::DataType::int8) {
    convert_to<std::int8_t>(input, bytes);
  } else {
    convert_to<std::uint8_t>(input, bytes);
  }
  return bytes;
}

void check_nesting(const JsonInput& input) {
  if (input.nesting.size() > 1 && input.nesting != input.shape) {
    throw Error(Code::invalid_argument, "input '{}' has shape {}, but its data is nested as {}",
                wire::printable(input.name), wire::text(input.shape), wire::text(input.nesting));
  }
}

// Cuts the tensors' bytes off the front of `rest`.
std::string_view take_bytes(const JsonInput& input, std::string_view& rest) {
  const auto size = *input.binary_size;
  if (size < 0 || static_cast<std::uint64_t>(size) > rest.size()) {
    throw Error(Code::invalid_argument, "input '{}' announces {} binary bytes, but {} are left in the body",
                wire::printable(input.name), size, rest.size());
  }
  const auto bytes = rest.substr(0, static_cast<std::size_t>(size));
  rest.remove_prefix(bytes.size());
  return bytes;
}

Tensor tensor_of(JsonInput& input, std::string_view& rest) {
  const auto shown = wire::printable(input.name);
  if (input.name.empty()) throw Error(Code::invalid_argument, "an input has no name");
  if (!input.datatype) throw Error(Code::invalid_argument, "input '{}' has no datatype", shown);
  if (!input.has_shape) throw Error(Code::invalid_argument, "input '{}' has no shape", shown);
  if (input.has_data == input.binary_size.has_value()) {
    throw Error(Code::invalid_argument, "input '{}' needs either data or binary_data_size{}", shown,
                input.has_data ? ", not both" : "");
  }
  Tensor tensor(input.name, wire::parse_datatype(*input.datatype), input.shape, {});
  if (input.binary_size) {
    tensor.data = take_bytes(input, rest);
    return tensor;
  }
  check_nesting(input);
  tensor.own(bytes_of(input, tensor.datatype));
  return tensor;
}

void read_output_form(wire::Request& request, OutputForm& form) {
  form.binary = take_flag(request.parameters, kBinaryOutputs).value_or(false);
  for (auto& output : request.outputs) {
    if (const auto flag = take_flag(output.parameters, kBinary)) form.named[output.name] = *flag;
  }
}

InferRequest parse_json(std::string_view json, std::string_view binary) {
  auto document = parse_json_request(json);
  InferRequest parsed;
  auto& request = parsed.request;
  request.id = std::move(document.id);
  request.parameters = std::move(document.parameters);
  request.outputs = std::move(document.outputs);
  for (auto& input : document.inputs) request.inputs.push_back(tensor_of(input, binary));
  if (!binary.empty())
    throw Error(Code::invalid_argument, "{} bytes behind the JSON belong to no input", binary.size());
  read_output_form(request, parsed.form);
  return parsed;
}

// The whole body is the model's one input. The answer is binary too.
InferRequest parse_raw(std::string_view body, const wire::Signature& signature) {
  const auto& spec = signature.input;
  const auto row_bytes = static_cast<std::size_t>(spec.row_elements()) * sizeof(float);
  if (body.empty() || body.size() % row_bytes != 0) {
    throw Error(Code::invalid_argument,
                "a raw body of {} bytes is no whole number of rows of input '{}', {} bytes each", body.size(),
                spec.name, row_bytes);
  }
  auto shape = spec.shape;
  shape[0] = static_cast<std::int64_t>(body.size() / row_bytes);
  InferRequest parsed;
  parsed.request.inputs.emplace_back(spec.name, wire::DataType::fp32, std::move(shape), body);
  parsed.form.binary = true;
  return parsed;
}

}  // namespace

bool OutputForm::binary_for(std::string_view output) const {
  const auto found = named.find(output);
  return found == named.end() ? binary : found->second;
}

std::size_t parse_json_length(std::string_view header, std::size_t size) {
  std::size_t length = 0;
  const auto [end, status] = std::from_chars(header.data(), header.data() + header.size(), length);
  if (status != std::errc() || end != header.data() + header.size()) {
    throw Error(Code::invalid_argument, "{}: '{}' is no length", kJsonLength, wire::printable(header));
  }
  if (length > size)
    throw Error(Code::invalid_argument, "{}: {} is more than the body's {} bytes", kJsonLength, length, size);
  return length;
}

InferRequest parse_infer(const Route& route, std::optional<std::string_view> json_length,
                         std::shared_ptr<const std::string> body, const std::function<wire::Signature()>& signature) {
  const std::string_view whole = *body;
  const auto length = json_length ? parse_json_length(*json_length, whole.size()) : whole.size();
  const bool raw = json_length && length == 0;
  auto parsed = raw ? parse_raw(whole, signature()) : parse_json(whole.substr(0, length), whole.substr(length));
  parsed.request.model = route.model;
  parsed.request.version = route.version;
  parsed.request.keep = std::move(body);
  return parsed;
}

}  // namespace infoscissors::front
