#pragma once

#include "infoscissors/serve/model.h"
#include "infoscissors/wire/check.h"
#include "infoscissors/wire/error.h"
#include "infoscissors/wire/tensor.h"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace infoscissors::serve {

using Clock = std::chrono::steady_clock;
using Nanoseconds = std::chrono::nanoseconds;

struct JobResult {
  wire::Code code = wire::Code::ok;
  std::string message;
  std::string_view output;  // the job's own rows of the batch's output
  std::shared_ptr<const void> keep;
  Nanoseconds queue{}, compute{};
};

/// One request that was checked and waits for its network.
struct Job {
  std::uint64_t id = 0;
  wire::Request request;  // owns what `rows` views
  wire::Rows rows;
  Clock::time_point arrived, deadline;
  std::function<void(JobResult)> done;  // exactly once, on a thread of the batcher's or the one that cancels
};

/// What one run of the network took, for the metrics.
struct BatchRecord {
  std::int64_t jobs = 0, rows = 0;
  Nanoseconds input{}, compute{}, output{};
  std::string error;  // empty: it ran
};

/// Runs requests together: one thread forms batches and runs the network, a second one answers what has expired and,
/// while the next batch runs, what is done. First come, first served.
class Batcher {
 public:
  struct Options {
    std::int64_t max_batch = 64;
    std::chrono::microseconds delay{0};  // how long the first of a batch waits for others
    std::size_t queue = 256;
  };

  Batcher(std::unique_ptr<Executor> executor, const wire::Signature& signature, Options options,
          std::function<void(const BatchRecord&)> observe);
  /// Runs what waits, then ends.
  ~Batcher();
  Batcher(const Batcher&) = delete;
  Batcher& operator=(const Batcher&) = delete;

  /// Takes the job, or leaves it untouched and returns false where the queue is full.
  bool push(Job& job);

  /// Answers a waiting job with `cancelled`; false where it does not wait (any more).
  bool cancel(std::uint64_t id);

  std::size_t waiting() const;
  /// Nothing waits, runs or is being answered.
  bool idle() const;

 private:
  struct Answer {
    Job job;
    JobResult result;
  };
  using Jobs = std::vector<Job>;

  void run_loop();
  void answer_loop();
  bool wait_for_batch(std::unique_lock<std::mutex>& lock);
  Jobs take_batch();
  std::vector<Answer> run(Jobs jobs, bool again);
  std::vector<Answer> one_by_one(Jobs jobs);
  std::vector<Answer> take_expired(Clock::time_point now);
  std::int64_t waiting_rows() const;
  void deliver(std::vector<Answer> answers);

  const std::unique_ptr<Executor> executor_;
  const std::int64_t output_row_;  // elements
  const Options options_;
  const std::function<void(const BatchRecord&)> observe_;

  mutable std::mutex mutex_;
  std::condition_variable work_, answers_waiting_;
  std::deque<Job> queue_;
  std::vector<Answer> answers_;
  // When answer_loop looks next. It may be earlier than any deadline in the queue: moving it with every request would
  // wake a thread for each of them.
  Clock::time_point look_ = Clock::time_point::max();
  bool closed_ = false, run_over_ = false;
  int active_ = 0;  // threads that run or answer something
  std::thread runner_, answerer_;
};

}  // namespace infoscissors::serve
