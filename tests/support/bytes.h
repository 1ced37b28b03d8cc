#pragma once

#include <string>
#include <vector>

namespace infoscissors::tests {

/// Numbers as they lie in memory, which is how the wire carries them.
inline std::string bytes_of(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

}  // namespace infoscissors::tests
