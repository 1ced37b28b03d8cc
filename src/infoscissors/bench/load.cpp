#include "infoscissors/bench/load.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <condition_variable>
#include <ctime>
#include <exception>
#include <limits>
#include <mutex>
#include <random>
#include <thread>

namespace infoscissors::bench {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_of(clockid_t clock) {
  timespec time{};
  if (::clock_gettime(clock, &time) != 0) return std::numeric_limits<double>::quiet_NaN();
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

double micros(Clock::duration duration) {
  return std::chrono::duration<double, std::micro>(duration).count();
}

/// What one worker collects; merged at the end, so that workers share nothing while they run.
class Record {
 public:
  void attempt(const Call& call, std::size_t worker, std::uint64_t n, Clock::time_point due) {
    try {
      call(worker, n);
      load_.micros.push_back(micros(Clock::now() - due));
    } catch (const std::exception& error) {
      fail(error.what());
    }
  }
  void fail(const std::string& message) {
    if (load_.failures++ == 0) load_.failure = message;
  }
  void add_to(Load& all) const {
    all.micros.insert(all.micros.end(), load_.micros.begin(), load_.micros.end());
    if (all.failures == 0) all.failure = load_.failure;
    all.failures += load_.failures;
  }

 private:
  Load load_;
};

/// Runs `work` for each worker, on threads that begin together.
Load run(std::size_t workers, const std::function<void(std::size_t, Record&, Clock::time_point)>& work) {
  std::vector<Record> records(workers);
  std::vector<std::thread> threads;
  std::mutex mutex;
  std::condition_variable changed;
  std::size_t waiting = 0;
  bool started = false;
  Clock::time_point begin;
  for (std::size_t worker = 0; worker < workers; ++worker) {
    threads.emplace_back([&, worker] {
      {
        std::unique_lock lock(mutex);
        ++waiting;
        changed.notify_all();
        changed.wait(lock, [&] { return started; });
      }
      work(worker, records[worker], begin);
    });
  }
  double cpu = 0;
  {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return waiting == workers; });
    cpu = process_cpu_seconds();
    begin = Clock::now();
    started = true;
  }
  changed.notify_all();
  for (auto& thread : threads) thread.join();
  Load load;
  load.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  load.cpu_seconds = process_cpu_seconds() - cpu;
  for (const auto& record : records) record.add_to(load);
  return load;
}

/// The moments at which requests are due, from 0 on.
std::vector<Clock::duration> arrivals(double rate, std::chrono::nanoseconds duration, std::uint64_t seed) {
  std::mt19937_64 generator(seed);
  std::exponential_distribution<double> pause(rate);
  const double end = std::chrono::duration<double>(duration).count();
  std::vector<Clock::duration> due;
  for (double at = pause(generator); at < end; at += pause(generator)) {
    due.push_back(std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(at)));
  }
  return due;
}

}  // namespace

double process_cpu_seconds() {
  return seconds_of(CLOCK_PROCESS_CPUTIME_ID);
}

double process_cpu_seconds(int pid) {
  clockid_t clock{};
  if (::clock_getcpuclockid(pid, &clock) != 0) return std::numeric_limits<double>::quiet_NaN();
  return seconds_of(clock);
}

Load closed_loop(const Call& call, std::size_t workers, std::chrono::nanoseconds duration) {
  return run(workers, [&](std::size_t worker, Record& record, Clock::time_point begin) {
    std::uint64_t n = 0;
    do {
      record.attempt(call, worker, n++, Clock::now());
    } while (Clock::now() - begin < duration);
  });
}

Load open_loop(const Call& call, std::size_t workers, double rate, std::chrono::nanoseconds duration,
               std::uint64_t seed) {
  const auto due = arrivals(rate, duration, seed);
  std::atomic<std::size_t> next{0};
  constexpr auto kPatience = std::chrono::seconds(1);
  return run(workers, [&](std::size_t worker, Record& record, Clock::time_point begin) {
    for (std::size_t n = next++; n < due.size(); n = next++) {
      const auto moment = begin + due[n];
      std::this_thread::sleep_until(moment);
      if (Clock::now() > begin + duration + kPatience) {
        record.fail("was not begun within a second after the end: the rate is more than the server does");
      } else {
        record.attempt(call, worker, n, moment);
      }
    }
  });
}

}  // namespace infoscissors::bench
