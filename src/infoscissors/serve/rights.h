#pragma once

#include "infoscissors/serve/access.h"
#include "infoscissors/serve/settings.h"

#include <memory>
#include <mutex>
#include <string>

namespace infoscissors::serve {

/// Who may do what, by the name in a caller's certificate. Without TLS there are no names: then every model is open and
/// nothing can be managed. Every method may be called from any thread.
class Rights {
 public:
  /// Reads the access list. Throws UsageError naming file and key.
  explicit Rights(const Settings& settings);

  /// Reads the access list again where the file has changed; the old one stays where the new one cannot be read. Throws
  /// as the constructor does.
  void reload();

  bool may_use(const std::string& device, const std::string& model) const;
  bool administers(const std::string& device) const;

  /// Throw wire::Error: unauthenticated, permission_denied; management that is switched off is unsupported.
  void require_use(const std::string& device, const std::string& model) const;
  void require_administrator(const std::string& device) const;

 private:
  std::shared_ptr<const AccessList> list() const;

  const Settings& settings_;
  mutable std::mutex mutex_;
  std::shared_ptr<const AccessList> list_;  // null: every device with a certificate may use every model
  std::string seen_;                        // which state of the file it is
};

}  // namespace infoscissors::serve
