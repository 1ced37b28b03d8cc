#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

/// Load on a server and what it took, without a server: a call is any function. docs/serving.md says what is measured.
namespace infoscissors::bench {

/// One request of device `worker`, its `n`-th. Calls of one worker follow each other, those of different workers
/// overlap. What it throws counts as a failure.
using Call = std::function<void(std::size_t worker, std::uint64_t n)>;

struct Load {
  std::vector<double> micros;  // latency of each call that succeeded, in the order of their end for each worker
  std::uint64_t failures = 0;
  std::string failure;     // the first one's message
  double seconds = 0;      // from the first call's begin to the last one's end
  double cpu_seconds = 0;  // of this process meanwhile
};

/// Closed loop: every worker sends its next request when the last one is answered, for `duration` at least and once at
/// least. How a server does when devices wait for it; a slow server slows its own load down.
Load closed_loop(const Call& call, std::size_t workers, std::chrono::nanoseconds duration);

/// Open loop: requests are due at random moments, `rate` a second on average (a Poisson process), whatever the server
/// does. Latency counts from the moment a request was due, so that what waits behind a slow answer is not forgotten.
/// A request that finds every worker busy waits; those that are not begun a second after `duration` are failures.
Load open_loop(const Call& call, std::size_t workers, double rate, std::chrono::nanoseconds duration,
               std::uint64_t seed);

/// Processor time of this process so far, of all its threads.
double process_cpu_seconds();

/// Of another process; NaN where it is gone.
double process_cpu_seconds(int pid);

}  // namespace infoscissors::bench
