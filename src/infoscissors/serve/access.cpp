#include "infoscissors/serve/access.h"

#include "infoscissors/base/error.h"
#include "infoscissors/base/json.h"
#include "infoscissors/base/options.h"

#include <algorithm>

namespace infoscissors::serve {
namespace {

using base::Json;
using base::UsageError;

void only_key(const Json& object, const std::string& known, const std::string& where) {
  if (!object.is_object()) throw UsageError("{} must be a table", where);
  for (const auto& entry : object.items()) {
    if (entry.key() == known) continue;
    throw UsageError("{}: there is no key '{}': {}", where, entry.key(), base::suggestion(entry.key(), {known}));
  }
}

std::vector<std::string> devices_of(const Json& model, const std::string& where) {
  only_key(model, "devices", where);
  if (!model.contains("devices") || !model["devices"].is_array()) {
    throw UsageError("{}: devices must be a list of certificates' names", where);
  }
  std::vector<std::string> devices;
  for (const auto& device : model["devices"]) {
    if (!device.is_string() || device.get<std::string>().empty()) {
      throw UsageError("{}: devices must be a list of certificates' names", where);
    }
    devices.push_back(device.get<std::string>());
  }
  return devices;
}

bool matches(std::string_view pattern, std::string_view device) {
  if (!pattern.ends_with('*')) return pattern == device;
  return device.starts_with(pattern.substr(0, pattern.size() - 1));
}

}  // namespace

AccessList AccessList::load(const std::filesystem::path& path) {
  const auto document = base::read_toml(path);
  only_key(document, "models", path.string());
  AccessList list;
  if (!document.contains("models")) throw UsageError("{}: a table [models.NAME] is missing", path.string());
  if (!document["models"].is_object()) throw UsageError("{}: models must be a table", path.string());
  for (const auto& entry : document["models"].items()) {
    list.models_[entry.key()] = devices_of(entry.value(), path.string() + ": [models." + entry.key() + "]");
  }
  return list;
}

bool AccessList::may_use(std::string_view device, std::string_view model) const {
  const auto found = models_.find(model);
  if (found == models_.end() || device.empty()) return false;
  return std::any_of(found->second.begin(), found->second.end(),
                     [&](const std::string& pattern) { return matches(pattern, device); });
}

}  // namespace infoscissors::serve
