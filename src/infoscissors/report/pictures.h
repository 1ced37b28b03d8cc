#pragma once

#include "infoscissors/figure/pictures.h"

#include <cstdint>
#include <filesystem>
#include <string>

namespace infoscissors::report {

/// The images of one file as a page shows them.
class Pictures : public figure::Pictures {
 public:
  using figure::Pictures::Pictures;

  /// The image at `index`, in [0, count()), as a data URI of type image/png.
  std::string data_uri(std::int64_t index) const;

  /// Names the content, to tell equal originals of different runs.
  std::string hash() const;
};

}  // namespace infoscissors::report
