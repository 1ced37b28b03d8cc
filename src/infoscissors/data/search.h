#pragma once

#include "infoscissors/data/dataset.h"

#include <filesystem>
#include <string>
#include <vector>

namespace infoscissors::data {

/// Where a data set's files may be and how to tell that they are there.
struct Files {
  std::string directory;                             // its usual name: "cifar-10-batches-bin"
  std::vector<std::string> markers;                  // one of these files shows that the directory is the right one
  std::vector<std::filesystem::path> system_places;  // searched last
  std::string remedy;                                // what to do when they are nowhere
};

/// $XDG_CACHE_HOME/infoscissors or ~/.cache/infoscissors: where `data fetch` puts what it downloads.
std::filesystem::path cache_directory();

/// The directory with the files: `path` (or its subdirectory of the usual name) if it is given, otherwise the first of
/// the usual places that has them. Throws Error that lists the places and says how to get the files.
std::filesystem::path find_files(const Files& files, const std::string& path);

}  // namespace infoscissors::data
