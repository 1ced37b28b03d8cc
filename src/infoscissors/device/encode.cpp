#include "infoscissors/device/encode.h"

#include "infoscissors/base/error.h"
#include "infoscissors/wire/convert.h"

#include <cstring>

namespace infoscissors::device {
namespace {

using wire::DataType;

wire::Tensor owning(const std::string& name, DataType type, wire::Shape shape, std::vector<char> bytes) {
  wire::Tensor tensor(name, type, std::move(shape), {});
  tensor.own(std::move(bytes));
  return tensor;
}

std::vector<char> bytes_of(const float* values, std::size_t count) {
  std::vector<char> bytes(count * sizeof(float));
  std::memcpy(bytes.data(), values, bytes.size());
  return bytes;
}

std::vector<char> halves_of(const float* values, std::size_t count) {
  std::vector<char> bytes(count * sizeof(std::uint16_t));
  wire::to_half(values, count, bytes.data());
  if (!wire::all_finite(DataType::fp16, {bytes.data(), bytes.size()})) {
    throw base::Error("the representation has values beyond what fp16 can hold; send it as fp32 or int8");
  }
  return bytes;
}

}  // namespace

std::vector<wire::Tensor> encode(const torch::Tensor& representation, const std::string& name, Encoding encoding) {
  const auto* values = representation.data_ptr<float>();
  const auto count = static_cast<std::size_t>(representation.numel());
  const auto shape = representation.sizes().vec();
  if (!wire::all_finite(DataType::fp32, {reinterpret_cast<const char*>(values), count * sizeof(float)})) {
    throw base::Error("the representation has values that are not finite; it is not sent");
  }
  std::vector<wire::Tensor> tensors;
  if (encoding == Encoding::fp32) tensors.push_back(owning(name, DataType::fp32, shape, bytes_of(values, count)));
  if (encoding == Encoding::fp16) tensors.push_back(owning(name, DataType::fp16, shape, halves_of(values, count)));
  if (encoding == Encoding::int8) {
    const auto rows = shape[0];
    auto quantised = wire::quantise(values, rows, representation.numel() / rows);
    const auto column = [&](const std::vector<float>& one) { return bytes_of(one.data(), one.size()); };
    tensors.push_back(owning(name, DataType::int8, shape, std::move(quantised.values)));
    tensors.push_back(owning(name + std::string(wire::kScale), DataType::fp32, {rows, 1}, column(quantised.scale)));
    tensors.push_back(
        owning(name + std::string(wire::kZeroPoint), DataType::fp32, {rows, 1}, column(quantised.zero_point)));
  }
  return tensors;
}

}  // namespace infoscissors::device
