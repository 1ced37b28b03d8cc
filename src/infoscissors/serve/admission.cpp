#include "infoscissors/serve/admission.h"

#include <algorithm>
#include <iterator>

namespace infoscissors::serve {

void Admission::fill(Device& device, Clock::time_point now) const {
  const auto seconds = std::chrono::duration<double>(now - device.filled).count();
  device.tokens = std::min(burst_, device.tokens + std::max(0.0, seconds) * rate_);
  device.filled = now;
}

Admission::Verdict Admission::enter(const std::string& name, Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  if (devices_.size() >= sweep_at_) forget_idle(now);
  auto& device = devices_.try_emplace(name, Device{.tokens = burst_, .filled = now}).first->second;
  if (concurrency_ > 0 && device.running >= concurrency_) return Verdict::too_many;
  if (rate_ > 0) {
    fill(device, now);
    if (device.tokens < 1) return Verdict::too_fast;
    device.tokens -= 1;
  }
  ++device.running;
  return Verdict::admitted;
}

void Admission::leave(const std::string& name) {
  const std::lock_guard lock(mutex_);
  const auto found = devices_.find(name);
  if (found != devices_.end() && found->second.running > 0) --found->second.running;
}

std::size_t Admission::known() const {
  const std::lock_guard lock(mutex_);
  return devices_.size();
}

/// A device with nothing under way and a full bucket is as good as unknown.
void Admission::forget_idle(Clock::time_point now) {
  for (auto entry = devices_.begin(); entry != devices_.end();) {
    auto& device = entry->second;
    fill(device, now);
    const bool idle = device.running == 0 && (rate_ <= 0 || device.tokens >= burst_);
    entry = idle ? devices_.erase(entry) : std::next(entry);
  }
  sweep_at_ = std::max<std::size_t>(1024, 2 * devices_.size());
}

std::string account_of(const std::string& device, const std::string& address) {
  if (!device.empty()) return "d:" + device;
  const auto colon = address.rfind(':');
  const bool local = address.starts_with("127.") || address.starts_with("[::1]");
  return "a:" + (local || colon == std::string::npos ? address : address.substr(0, colon));
}

}  // namespace infoscissors::serve
