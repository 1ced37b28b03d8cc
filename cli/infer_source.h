#pragma once

#include "infoscissors/image/image.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace infoscissors::cli {

/// A picture to classify.
struct Item {
  std::string name;
  image::Image picture;
  std::optional<std::int64_t> label;  // where it is known
};

/// Pictures one after the other.
class ItemSource {
 public:
  virtual ~ItemSource() = default;
  /// The next one; nothing at the end. Throws base::Error naming a picture that cannot be read.
  virtual std::optional<Item> next() = 0;
};

/// Files; folders, whose PNG and JPEG files are taken by name, without those of folders in them; "-", the pictures on
/// standard input. Throws UsageError for a name that is not there.
std::unique_ptr<ItemSource> open_files(const std::vector<std::string>& names);

/// The official test part of a data set, in its order. Throws UsageError where its classes are not `classes`.
std::unique_ptr<ItemSource> open_dataset(const std::string& name, const std::string& path,
                                         const std::vector<std::string>& classes);

}  // namespace infoscissors::cli
