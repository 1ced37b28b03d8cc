#pragma once

#include "infoscissors/wire/tensor.h"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

/// Between float and what travels. Everything is little-endian, like every machine this runs on.
namespace infoscissors::wire {

/// IEEE half precision, rounded to the nearest, ties to even; what is too large becomes infinite.
std::uint16_t to_half(float value);
float from_half(std::uint16_t half);

/// Whole arrays. `source` holds count elements and may be unaligned.
void to_half(const float* source, std::size_t count, char* destination);
void from_half(const char* source, std::size_t count, float* destination);
void from_bfloat16(const char* source, std::size_t count, float* destination);

/// value = (q - zero_point) * scale, one scale and zero point for each row.
struct Quantised {
  std::vector<char> values;       // rows * row_elements of int8
  std::vector<float> scale;       // rows
  std::vector<float> zero_point;  // rows, whole numbers in [-128, 127]
};

/// Maps each row's [min(x, 0), max(x, 0)] to the 256 values, so that zero is exact. Rows must be finite: throws
/// Error(invalid_argument).
Quantised quantise(const float* source, std::int64_t rows, std::int64_t row_elements);

/// `type` is int8 or uint8; scale and zero_point hold rows floats each, unaligned.
void dequantise(DataType type, std::string_view values, std::string_view scale, std::string_view zero_point,
                std::int64_t rows, std::int64_t row_elements, float* destination);

/// Whether every FP16, BF16, FP32 or FP64 element is finite; integers always are.
bool all_finite(DataType type, std::string_view data);

}  // namespace infoscissors::wire
