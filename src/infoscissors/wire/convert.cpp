#include "infoscissors/wire/convert.h"

#include "infoscissors/wire/error.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace infoscissors::wire {
namespace {

static_assert(std::endian::native == std::endian::little, "the wire's byte order is taken to be the machine's");

template <class T>
T load(const char* from, std::size_t index) {
  T value;
  std::memcpy(&value, from + index * sizeof(T), sizeof(T));
  return value;
}

/// Whether any element has every exponent bit set. Blocks, because a loop that can stop anywhere is not vectorised.
template <class Bits>
bool finite(std::string_view data, Bits exponent) {
  constexpr std::size_t kBlock = 256;
  const auto count = data.size() / sizeof(Bits);
  const auto* bytes = data.data();
  std::size_t i = 0;
  for (; i + kBlock <= count; i += kBlock) {
    Bits bad = 0;
    for (std::size_t j = 0; j < kBlock; ++j) {
      bad = static_cast<Bits>(bad | static_cast<Bits>((load<Bits>(bytes, i + j) & exponent) == exponent));
    }
    if (bad) return false;
  }
  for (; i < count; ++i) {
    if ((load<Bits>(bytes, i) & exponent) == exponent) return false;
  }
  return true;
}

/// One row's numbers become q in [-128, 127]; zero stays exactly zero.
void quantise_row(const float* row, std::int64_t elements, signed char* values, float& scale, float& zero_point) {
  double low = 0, high = 0;
  for (std::int64_t i = 0; i < elements; ++i) {
    if (!std::isfinite(row[i]))
      throw Error(Code::invalid_argument, "a row with values that are not finite cannot be quantised");
    low = std::min<double>(low, row[i]);
    high = std::max<double>(high, row[i]);
  }
  scale = static_cast<float>((high - low) / 255);
  if (!(scale >= std::numeric_limits<float>::min())) scale = 1;  // all zero, or too small to divide by
  zero_point = static_cast<float>(std::clamp(std::nearbyint(-128 - low / scale), -128.0, 127.0));
  for (std::int64_t i = 0; i < elements; ++i) {
    const float q = std::nearbyint(row[i] / scale) + zero_point;
    values[i] = static_cast<signed char>(std::clamp(q, -128.0F, 127.0F));
  }
}

/// Saturates: the last step of a row near float's range ends beyond it, and a scale from the wire may be anything.
template <class Value>
void dequantise_row(const char* values, float scale, float zero_point, std::int64_t elements, float* destination) {
  constexpr float kMost = std::numeric_limits<float>::max();
  for (std::int64_t i = 0; i < elements; ++i) {
    const float value = (static_cast<float>(static_cast<Value>(values[i])) - zero_point) * scale;
    destination[i] = std::clamp(value, -kMost, kMost);
  }
}

}  // namespace

std::uint16_t to_half(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000);
  const std::uint32_t magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;   // NaN
  if (magnitude >= 0x477ff000) return sign | 0x7c00;  // rounds to 65536 or more
  if (magnitude < 0x38800000) {                       // subnormal: adding 0.5 leaves its last bit worth 2^-24
    const float shifted = std::bit_cast<float>(magnitude) + 0.5F;
    return sign | static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(shifted) - 0x3f000000);
  }
  const std::uint32_t odd = (magnitude >> 13) & 1;
  return sign | static_cast<std::uint16_t>((magnitude - 0x38000000 + 0xfff + odd) >> 13);
}

float from_half(std::uint16_t half) {
  const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000) << 16;
  const std::uint32_t rest = static_cast<std::uint32_t>(half & 0x7fff) << 13;
  // Scaling by 2^112 moves the exponent's bias, subnormals included; what was infinite or NaN gets its exponent back.
  const float scaled = std::bit_cast<float>(rest) * 0x1p112F;
  std::uint32_t bits = std::bit_cast<std::uint32_t>(scaled);
  if ((half & 0x7c00) == 0x7c00) bits = rest | 0x7f800000;
  return std::bit_cast<float>(bits | sign);
}

void to_half(const float* source, std::size_t count, char* destination) {
  for (std::size_t i = 0; i < count; ++i) {
    const auto half = to_half(source[i]);
    std::memcpy(destination + i * sizeof(half), &half, sizeof(half));
  }
}

void from_half(const char* source, std::size_t count, float* destination) {
  for (std::size_t i = 0; i < count; ++i) destination[i] = from_half(load<std::uint16_t>(source, i));
}

void from_bfloat16(const char* source, std::size_t count, float* destination) {
  for (std::size_t i = 0; i < count; ++i) {
    destination[i] = std::bit_cast<float>(static_cast<std::uint32_t>(load<std::uint16_t>(source, i)) << 16);
  }
}

Quantised quantise(const float* source, std::int64_t rows, std::int64_t row_elements) {
  Quantised result;
  result.values.resize(static_cast<std::size_t>(rows * row_elements));
  result.scale.resize(static_cast<std::size_t>(rows));
  result.zero_point.resize(static_cast<std::size_t>(rows));
  for (std::int64_t row = 0; row < rows; ++row) {
    const auto i = static_cast<std::size_t>(row);
    quantise_row(source + row * row_elements, row_elements,
                 reinterpret_cast<signed char*>(result.values.data()) + row * row_elements, result.scale[i],
                 result.zero_point[i]);
  }
  return result;
}

void dequantise(DataType type, std::string_view values, std::string_view scale, std::string_view zero_point,
                std::int64_t rows, std::int64_t row_elements, float* destination) {
  for (std::int64_t row = 0; row < rows; ++row) {
    const auto s = load<float>(scale.data(), static_cast<std::size_t>(row));
    const auto z = load<float>(zero_point.data(), static_cast<std::size_t>(row));
    const auto* from = values.data() + row * row_elements;
    auto* to = destination + row * row_elements;
    if (type == DataType::int8) {
      dequantise_row<std::int8_t>(from, s, z, row_elements, to);
    } else {
      dequantise_row<std::uint8_t>(from, s, z, row_elements, to);
    }
  }
}

bool all_finite(DataType type, std::string_view data) {
  switch (type) {
    case DataType::fp16:
      return finite<std::uint16_t>(data, 0x7c00);
    case DataType::bf16:
      return finite<std::uint16_t>(data, 0x7f80);
    case DataType::fp32:
      return finite<std::uint32_t>(data, 0x7f800000);
    case DataType::fp64:
      return finite<std::uint64_t>(data, 0x7ff0000000000000);
    default:
      return true;
  }
}

}  // namespace infoscissors::wire
