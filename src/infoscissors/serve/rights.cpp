#include "infoscissors/serve/rights.h"

#include "infoscissors/wire/error.h"

#include <sys/stat.h>
#include <algorithm>

namespace infoscissors::serve {
namespace {

using wire::Code;
using wire::Error;

std::string state_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return "";
  return fmt::format("{} {} {}.{}", status.st_ino, status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
}

}  // namespace

Rights::Rights(const Settings& settings) : settings_(settings) {
  reload();
}

void Rights::reload() {
  if (settings_.access.empty()) return;
  const auto now = state_of(settings_.access);
  {
    const std::lock_guard lock(mutex_);
    if (now == seen_) return;
    seen_ = now;
  }
  auto fresh = std::make_shared<const AccessList>(AccessList::load(settings_.access));
  const std::lock_guard lock(mutex_);
  list_ = std::move(fresh);
}

std::shared_ptr<const AccessList> Rights::list() const {
  const std::lock_guard lock(mutex_);
  return list_;
}

bool Rights::may_use(const std::string& device, const std::string& model) const {
  const auto current = list();
  return !settings_.tls() || !current || current->may_use(device, model);
}

bool Rights::administers(const std::string& device) const {
  const auto& names = settings_.administrators;
  return !device.empty() && std::find(names.begin(), names.end(), device) != names.end();
}

void Rights::require_use(const std::string& device, const std::string& model) const {
  if (!settings_.tls()) return;
  if (device.empty()) throw Error(Code::unauthenticated, "the certificate has no common name");
  if (may_use(device, model)) return;
  // The same for a model that is not there: what others run is not this device's business.
  throw Error(Code::permission_denied, "'{}' may not use model '{}'", wire::printable(device), wire::printable(model));
}

void Rights::require_administrator(const std::string& device) const {
  if (!settings_.management) throw Error(Code::unsupported, "management is off on this server");
  if (device.empty()) throw Error(Code::unauthenticated, "management needs an administrator's certificate");
  if (!administers(device)) throw Error(Code::permission_denied, "'{}' is no administrator", wire::printable(device));
}

}  // namespace infoscissors::serve
