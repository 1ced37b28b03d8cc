#include "infoscissors/wire/tensor.h"

#include "infoscissors/wire/error.h"

#include <array>

namespace infoscissors::wire {
namespace {

struct Datatype {
  std::string_view name;
  std::size_t size;
};

constexpr std::array<Datatype, 14> kDatatypes{{
    {"BOOL", 1},
    {"UINT8", 1},
    {"UINT16", 2},
    {"UINT32", 4},
    {"UINT64", 8},
    {"INT8", 1},
    {"INT16", 2},
    {"INT32", 4},
    {"INT64", 8},
    {"FP16", 2},
    {"BF16", 2},
    {"FP32", 4},
    {"FP64", 8},
    {"BYTES", 0},
}};

constexpr std::size_t kMaxRank = 8;
constexpr std::int64_t kMaxElements = std::int64_t{1} << 40;

}  // namespace

std::string_view name(DataType type) {
  return kDatatypes.at(static_cast<std::size_t>(type)).name;
}

std::size_t size_of(DataType type) {
  return kDatatypes.at(static_cast<std::size_t>(type)).size;
}

DataType parse_datatype(std::string_view name) {
  for (std::size_t i = 0; i < kDatatypes.size(); ++i) {
    if (kDatatypes[i].name == name) return static_cast<DataType>(i);
  }
  throw Error(Code::invalid_argument, "there is no datatype '{}': FP32, FP16, BF16, INT8, UINT8, ...", printable(name));
}

std::int64_t count_elements(const Shape& shape, std::string_view tensor) {
  if (shape.size() > kMaxRank) {
    throw Error(Code::invalid_argument, "tensor '{}' has {} dimensions; at most {} are served", printable(tensor),
                shape.size(), kMaxRank);
  }
  std::int64_t count = 1;
  for (const auto size : shape) {
    if (size < 1) {
      throw Error(Code::invalid_argument, "tensor '{}' has shape {}: every size must be at least 1", printable(tensor),
                  text(shape));
    }
    if (size > kMaxElements / count) {
      throw Error(Code::invalid_argument, "tensor '{}' has shape {}: too many elements", printable(tensor),
                  text(shape));
    }
    count *= size;
  }
  return count;
}

std::string text(const Shape& shape) {
  std::string result = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (i == kMaxRank) return result + ",...]";
    if (i > 0) result += ',';
    result += std::to_string(shape[i]);
  }
  return result + "]";
}

}  // namespace infoscissors::wire
