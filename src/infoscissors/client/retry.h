#pragma once

#include <chrono>
#include <cstdint>
#include <random>
#include <stop_token>

namespace infoscissors::client {

struct RetryOptions {
  int attempts = 4;                     // in all; 1: no second one
  std::chrono::milliseconds first{50};  // the first pause is at most this
  std::chrono::milliseconds longest{2000};
};

/// Pauses with full jitter: the n-th is uniform in [0, min(longest, first 2^n)], so that devices that lost the same
/// server do not come back together.
class Backoff {
 public:
  Backoff(const RetryOptions& options, std::uint64_t seed) : options_(options), generator_(seed) {}
  std::chrono::microseconds next();

 private:
  RetryOptions options_;
  std::mt19937_64 generator_;
  int count_ = 0;
};

/// Sleeps; returns false at once when a stop is requested.
bool pause(std::chrono::microseconds duration, const std::stop_token& stop);

/// 64 bits from the operating system. Throws base::Error where it gives none.
std::uint64_t entropy();

}  // namespace infoscissors::client
