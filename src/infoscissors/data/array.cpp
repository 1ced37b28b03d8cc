#include "infoscissors/data/array.h"

#include "infoscissors/base/error.h"
#include "infoscissors/base/file.h"
#include "infoscissors/data/zip.h"
#include "infoscissors/tensor/file.h"

#include <vector>

namespace infoscissors::data {
namespace {

using base::Error;

constexpr std::string_view kArchive = ".npz", kArray = ".npy";

std::vector<std::string> array_names(const ZipArchive& archive) {
  std::vector<std::string> names;
  for (const auto& [file, entry] : archive.entries()) {
    if (file.ends_with(kArray)) names.push_back(file.substr(0, file.size() - kArray.size()));
  }
  return names;
}

torch::Tensor load_from_archive(const std::string& path, const std::string& name) {
  const ZipArchive archive(base::read_file(path), path);
  const auto names = array_names(archive);
  if (names.empty()) throw Error("{}: holds no array", path);
  if (name.empty() && names.size() > 1) {
    throw Error("{}: holds {} arrays ({}); name one: {}:{}", path, names.size(), fmt::join(names, ", "), path,
                names.front());
  }
  const auto& chosen = name.empty() ? names.front() : name;
  if (std::find(names.begin(), names.end(), chosen) == names.end()) {
    throw Error("{}: holds no array '{}', but {}", path, chosen, fmt::join(names, ", "));
  }
  return tensor::parse_npy(archive.read(chosen + std::string(kArray)), path + ":" + chosen);
}

}  // namespace

torch::Tensor load_array(const std::string& place) {
  if (place.ends_with(kArchive)) return load_from_archive(place, "");
  // The last one, for a directory may be called so, too.
  const auto at = place.rfind(std::string(kArchive) + ":");
  if (at == std::string::npos) return tensor::load_npy(place);
  const auto end = at + kArchive.size();
  return load_from_archive(place.substr(0, end), place.substr(end + 1));
}

}  // namespace infoscissors::data
