#pragma once

#include <algorithm>
#include <string_view>

namespace infoscissors::tensor {

/// Whether each byte is 0 or 1. Reading any other byte as a bool is undefined, so files are checked first.
inline bool all_boolean(std::string_view bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](char byte) { return byte == 0 || byte == 1; });
}

}  // namespace infoscissors::tensor
