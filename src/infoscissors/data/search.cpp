#include "infoscissors/data/search.h"

#include "infoscissors/base/error.h"

#include <algorithm>
#include <cstdlib>

namespace infoscissors::data {
namespace {

namespace fs = std::filesystem;
using base::Error;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

std::vector<fs::path> places(const Files& files, const std::string& path) {
  std::vector<fs::path> list;
  const auto add_root = [&](const fs::path& root) {
    list.push_back(root / files.directory);
    list.push_back(root);
  };
  if (!path.empty()) {
    add_root(path);
    return list;
  }
  if (const auto root = environment("INFOSCISSORS_DATA"); !root.empty()) add_root(root);
  add_root(cache_directory());
  add_root("../data-cache");
  list.insert(list.end(), files.system_places.begin(), files.system_places.end());
  return list;
}

bool has_marker(const fs::path& directory, const std::vector<std::string>& markers) {
  std::error_code ignored;
  return std::any_of(markers.begin(), markers.end(),
                     [&](const auto& file) { return fs::exists(directory / file, ignored); });
}

}  // namespace

fs::path cache_directory() {
  if (const auto cache = environment("XDG_CACHE_HOME"); !cache.empty()) return fs::path(cache) / "infoscissors";
  const auto home = environment("HOME");
  return (home.empty() ? fs::temp_directory_path() : fs::path(home) / ".cache") / "infoscissors";
}

fs::path find_files(const Files& files, const std::string& path) {
  const auto candidates = places(files, path);
  for (const auto& directory : candidates) {
    if (has_marker(directory, files.markers)) return directory;
  }
  std::vector<std::string> names;
  for (const auto& directory : candidates) names.push_back(directory.string());
  throw Error("{} was not found (looked for {} in {}); {}", files.directory, fmt::join(files.markers, " or "),
              fmt::join(names, ", "), files.remedy);
}

}  // namespace infoscissors::data
