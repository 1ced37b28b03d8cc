#include "infoscissors/wire/check.h"

#include "infoscissors/wire/convert.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <variant>

namespace infoscissors::wire {
namespace {

constexpr std::size_t kMaxTensors = 16;

void check_name(std::string_view what, std::string_view name, const Limits& limits) {
  if (name.size() > limits.max_name) {
    throw Error(Code::invalid_argument, "{} has {} bytes; at most {} are allowed", what, name.size(), limits.max_name);
  }
  // Anything else that is printable is looked up and not found; control characters have no business in a name.
  const bool clean = std::all_of(name.begin(), name.end(), [](unsigned char c) { return c >= 0x20 && c != 0x7f; });
  if (!clean) throw Error(Code::invalid_argument, "{} '{}' has control characters", what, printable(name));
}

void check_parameters(std::string_view what, const Parameters& parameters, const Limits& limits) {
  if (parameters.size() > limits.max_parameters) {
    throw Error(Code::invalid_argument, "{} has {} parameters; at most {} are allowed", what, parameters.size(),
                limits.max_parameters);
  }
  for (const auto& [key, value] : parameters) {
    check_name("a parameter's name", key, limits);
    if (key.starts_with("shared_memory")) {
      throw Error(Code::unsupported, "shared memory is not offered: it would keep private tensors");
    }
    if (const auto* text = std::get_if<std::string>(&value)) check_name("a parameter's value", *text, limits);
  }
}

/// The one input of this name, or null.
const Tensor* find(const Request& request, std::string_view wanted) {
  const Tensor* found = nullptr;
  for (const auto& input : request.inputs) {
    if (input.name != wanted) continue;
    if (found) throw Error(Code::invalid_argument, "input '{}' is given twice", wanted);
    found = &input;
  }
  return found;
}

void check_size(const Tensor& tensor) {
  const auto elements = count_elements(tensor.shape, tensor.name);
  const auto bytes = static_cast<std::uint64_t>(elements) * size_of(tensor.datatype);
  if (bytes != tensor.data.size()) {
    throw Error(Code::invalid_argument, "input '{}' of shape {} and datatype {} needs {} bytes and has {}",
                printable(tensor.name), text(tensor.shape), name(tensor.datatype), bytes, tensor.data.size());
  }
}

void check_shape(const Tensor& tensor, const TensorSpec& spec, const Limits& limits) {
  const auto& shape = tensor.shape;
  if (shape.size() != spec.shape.size() || !std::equal(shape.begin() + 1, shape.end(), spec.shape.begin() + 1)) {
    throw Error(Code::invalid_argument, "input '{}' has shape {}; the model takes {}", spec.name, text(shape),
                text(spec.shape));
  }
  if (shape[0] > limits.max_rows) {
    throw Error(Code::invalid_argument, "input '{}' has {} rows; at most {} a request are served", spec.name, shape[0],
                limits.max_rows);
  }
}

/// The extra input of a quantised one: [N,1] FP32.
std::string_view companion(const Request& request, const TensorSpec& spec, std::string_view suffix, std::int64_t rows) {
  const auto wanted = spec.name + std::string(suffix);
  const auto* tensor = find(request, wanted);
  if (!tensor) throw Error(Code::invalid_argument, "a quantised input needs the input '{}' too", wanted);
  if (tensor->datatype != DataType::fp32 || tensor->shape != Shape{rows, 1}) {
    throw Error(Code::invalid_argument, "input '{}' must be FP32 of shape [{},1], not {} of {}", wanted, rows,
                name(tensor->datatype), text(tensor->shape));
  }
  check_size(*tensor);
  return tensor->data;
}

/// Scale and zero point must not be able to make anything infinite.
void check_quantisation(const Rows& rows, const TensorSpec& spec) {
  for (std::int64_t row = 0; row < rows.count; ++row) {
    float scale = 0, zero_point = 0;
    std::memcpy(&scale, rows.scale.data() + static_cast<std::size_t>(row) * sizeof(float), sizeof(float));
    std::memcpy(&zero_point, rows.zero_point.data() + static_cast<std::size_t>(row) * sizeof(float), sizeof(float));
    if (std::isfinite((256 + std::abs(zero_point)) * scale)) continue;
    throw Error(Code::invalid_argument, "scale or zero point of row {} of input '{}' give values that are not finite",
                row, spec.name);
  }
}

bool quantised(DataType type) {
  return type == DataType::int8 || type == DataType::uint8;
}

void check_datatype(const Tensor& tensor) {
  switch (tensor.datatype) {
    case DataType::fp32:
    case DataType::fp16:
    case DataType::bf16:
    case DataType::int8:
    case DataType::uint8:
      return;
    default:
      throw Error(Code::invalid_argument,
                  "input '{}' is {}; FP32, FP16, BF16, and INT8 or UINT8 with scale and zero point are served",
                  printable(tensor.name), name(tensor.datatype));
  }
}

void check_outputs(const Request& request, const TensorSpec& spec) {
  for (const auto& output : request.outputs) {
    if (output.name != spec.name) {
      throw Error(Code::invalid_argument, "there is no output '{}'; the model has '{}'", printable(output.name),
                  spec.name);
    }
    if (output.parameters.contains("classification")) {
      throw Error(Code::unsupported, "classification is the device's part and not offered");
    }
  }
  if (request.outputs.size() > 1) throw Error(Code::invalid_argument, "output '{}' is requested twice", spec.name);
}

void check_no_others(const Request& request, const TensorSpec& spec, bool with_companions) {
  for (const auto& input : request.inputs) {
    const std::string_view given = input.name;
    if (given == spec.name) continue;
    const bool companion = given.starts_with(spec.name) &&
                           (given.substr(spec.name.size()) == kScale || given.substr(spec.name.size()) == kZeroPoint);
    if (companion && with_companions) continue;
    throw Error(Code::invalid_argument, "there is no input '{}' here; the model takes '{}'", printable(given),
                spec.name);
  }
}

void validate(const TensorSpec& spec) {
  const auto fixed = [](std::int64_t size) { return size >= 1; };
  if (spec.datatype != DataType::fp32 || spec.shape.size() < 2 || spec.shape[0] != -1 ||
      !std::all_of(spec.shape.begin() + 1, spec.shape.end(), fixed)) {
    throw base::Error("tensor '{}' is {} of shape {}; served are FP32 tensors of shape [-1,...] with fixed sizes",
                      printable(spec.name), name(spec.datatype), text(spec.shape));
  }
  count_elements({spec.shape.begin() + 1, spec.shape.end()}, spec.name);
}

}  // namespace

std::int64_t TensorSpec::row_elements() const {
  std::int64_t count = 1;
  for (std::size_t i = 1; i < shape.size(); ++i) count *= shape[i];
  return count;
}

void validate(const Signature& signature) {
  validate(signature.input);
  validate(signature.output);
}

void Rows::copy_to(float* destination) const {
  const auto elements = static_cast<std::size_t>(count * row_elements);
  switch (datatype) {
    case DataType::fp32:
      std::memcpy(destination, data.data(), data.size());
      return;
    case DataType::fp16:
      return from_half(data.data(), elements, destination);
    case DataType::bf16:
      return from_bfloat16(data.data(), elements, destination);
    default:
      return dequantise(datatype, data, scale, zero_point, count, row_elements, destination);
  }
}

void check_names(const Request& request, const Limits& limits) {
  check_name("the model's name", request.model, limits);
  check_name("the model's version", request.version, limits);
  check_name("the request's id", request.id, limits);
  check_parameters("the request", request.parameters, limits);
  if (request.inputs.size() > kMaxTensors || request.outputs.size() > kMaxTensors) {
    throw Error(Code::invalid_argument, "{} inputs and {} requested outputs; at most {} of each are allowed",
                request.inputs.size(), request.outputs.size(), kMaxTensors);
  }
  for (const auto& input : request.inputs) check_name("an input's name", input.name, limits);
  for (const auto& output : request.outputs) {
    check_name("an output's name", output.name, limits);
    check_parameters("an output", output.parameters, limits);
  }
}

Rows check(const Request& request, const Signature& signature, const Limits& limits) {
  const auto& spec = signature.input;
  const auto* input = find(request, spec.name);
  if (!input) throw Error(Code::invalid_argument, "the input '{}' is missing", spec.name);
  check_datatype(*input);
  check_no_others(request, spec, quantised(input->datatype));
  check_outputs(request, signature.output);
  count_elements(input->shape, input->name);
  check_shape(*input, spec, limits);
  check_size(*input);
  Rows rows{.count = input->shape[0],
            .row_elements = spec.row_elements(),
            .datatype = input->datatype,
            .data = input->data,
            .scale = {},
            .zero_point = {}};
  if (quantised(input->datatype)) {
    rows.scale = companion(request, spec, kScale, rows.count);
    rows.zero_point = companion(request, spec, kZeroPoint, rows.count);
    check_quantisation(rows, spec);
  } else if (limits.refuse_non_finite && !all_finite(rows.datatype, rows.data)) {
    throw Error(Code::invalid_argument, "input '{}' has values that are not finite", spec.name);
  }
  return rows;
}

std::string_view check(const Response& response, const Signature& signature, std::int64_t rows) {
  const auto& spec = signature.output;
  if (response.outputs.size() != 1 || response.outputs[0].name != spec.name) {
    throw Error(Code::internal, "the server's answer has {} outputs; one named '{}' was expected",
                response.outputs.size(), spec.name);
  }
  const auto& output = response.outputs[0];
  Shape expected = spec.shape;
  expected[0] = rows;
  const auto bytes = static_cast<std::size_t>(rows * spec.row_elements()) * sizeof(float);
  if (output.datatype != DataType::fp32 || output.shape != expected || output.data.size() != bytes) {
    throw Error(Code::internal, "the server's answer is {} of shape {} in {} bytes; FP32 of {} was expected",
                name(output.datatype), text(output.shape), output.data.size(), text(expected));
  }
  if (!all_finite(DataType::fp32, output.data)) {
    throw Error(Code::internal, "the server's answer has values that are not finite");
  }
  return output.data;
}

}  // namespace infoscissors::wire
