#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>

namespace infoscissors::serve {

/// Limits of one device each: a token bucket of `rate` a second that holds `burst`, and `concurrency` unanswered
/// requests. 0 switches rate or concurrency off.
class Admission {
 public:
  using Clock = std::chrono::steady_clock;
  enum class Verdict { admitted, too_fast, too_many };

  Admission(double rate, std::int64_t burst, std::int64_t concurrency)
      : rate_(rate), burst_(static_cast<double>(burst)), concurrency_(concurrency) {}

  /// A request that is refused costs the device nothing; one that is admitted must be followed by leave().
  Verdict enter(const std::string& device, Clock::time_point now);
  void leave(const std::string& device);

  std::size_t known() const;  // devices kept in memory

 private:
  struct Device {
    double tokens = 0;
    Clock::time_point filled;
    std::int64_t running = 0;
  };
  void fill(Device& device, Clock::time_point now) const;
  void forget_idle(Clock::time_point now);

  const double rate_, burst_;
  const std::int64_t concurrency_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Device> devices_;
  std::size_t sweep_at_ = 1024;
};

/// Whom the limits count: the certificate's name, or the connection's other end. On loopback that includes the port,
/// since all devices of a test share the address.
std::string account_of(const std::string& device, const std::string& address);

}  // namespace infoscissors::serve
