#pragma once

#include "infoscissors/base/npy.h"

#include <cstdint>
#include <filesystem>
#include <string>

namespace infoscissors::report {

/// The images of one file: uint8 (N, C, H, W) with C = 1 or 3.
class Pictures {
 public:
  /// Throws Error naming the file when it is not such an array.
  explicit Pictures(const std::filesystem::path& file);

  std::int64_t count() const { return array_.shape[0]; }

  /// The image at `index`, in [0, count()), as a data URI of type image/png.
  std::string data_uri(std::int64_t index) const;

  /// Names the content, to tell equal originals of different runs.
  std::string hash() const;

 private:
  base::NpyArray array_;
};

}  // namespace infoscissors::report
