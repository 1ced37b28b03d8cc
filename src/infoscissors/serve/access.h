#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace infoscissors::serve {

/// Who may use which model, by the names in the devices' certificates:
///
///     [models.demo]
///     devices = ["camera-1", "door-*"]
///
/// A '*' at the end stands for any rest. A model that is not listed is nobody's.
class AccessList {
 public:
  /// Throws UsageError naming file and key.
  static AccessList load(const std::filesystem::path& path);

  bool may_use(std::string_view device, std::string_view model) const;

 private:
  std::map<std::string, std::vector<std::string>, std::less<>> models_;
};

}  // namespace infoscissors::serve
