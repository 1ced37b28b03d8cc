#include "infoscissors/client/retry.h"

#include "infoscissors/base/error.h"

#include <sys/random.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>

namespace infoscissors::client {

std::chrono::microseconds Backoff::next() {
  using std::chrono::microseconds;
  const auto longest = std::chrono::duration_cast<microseconds>(options_.longest);
  auto limit = std::chrono::duration_cast<microseconds>(options_.first);
  for (int i = 0; i < count_ && limit < longest; ++i) limit *= 2;
  ++count_;
  limit = std::min(limit, longest);
  return microseconds(std::uniform_int_distribution<std::int64_t>(0, limit.count())(generator_));
}

bool pause(std::chrono::microseconds duration, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::unique_lock lock(mutex);
  changed.wait_for(lock, stop, duration, [] { return false; });
  return !stop.stop_requested();
}

std::uint64_t entropy() {
  std::uint64_t value = 0;
  if (::getrandom(&value, sizeof value, 0) != static_cast<ssize_t>(sizeof value)) {
    throw base::Error("the operating system gives no random numbers");
  }
  return value;
}

}  // namespace infoscissors::client
