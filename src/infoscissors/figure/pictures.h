#pragma once

#include "infoscissors/base/npy.h"

#include <array>
#include <cstdint>
#include <filesystem>

namespace infoscissors::figure {

/// The images of one file: uint8 (N, C, H, W) with C = 1 or 3.
class Pictures {
 public:
  /// Throws Error naming the file when it is not such an array.
  explicit Pictures(const std::filesystem::path& file);

  /// Everything, to tell equal files.
  const std::string& bytes() const { return array_.data; }

  std::int64_t count() const { return array_.shape[0]; }
  std::int64_t channels() const { return array_.shape[1]; }
  std::int64_t height() const { return array_.shape[2]; }
  std::int64_t width() const { return array_.shape[3]; }

  /// Red, green and blue of one pixel; a grey image has them equal.
  std::array<std::uint8_t, 3> pixel(std::int64_t image, std::int64_t row, std::int64_t column) const;

 private:
  base::NpyArray array_;
};

}  // namespace infoscissors::figure
