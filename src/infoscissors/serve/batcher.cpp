#include "infoscissors/serve/batcher.h"

#include "infoscissors/base/error.h"

#include <algorithm>
#include <utility>

namespace infoscissors::serve {
namespace {

constexpr const char* kExpired = "the deadline passed while the request was waiting";

JobResult failed(wire::Code code, std::string message) {
  JobResult result;
  result.code = code;
  result.message = std::move(message);
  return result;
}

}  // namespace

Batcher::Batcher(std::unique_ptr<Executor> executor, const wire::Signature& signature, Options options,
                 std::function<void(const BatchRecord&)> observe)
    : executor_(std::move(executor)),
      output_row_(signature.output.row_elements()),
      options_(options),
      observe_(std::move(observe)),
      runner_([this] { run_loop(); }),
      answerer_([this] { answer_loop(); }) {}

Batcher::~Batcher() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  work_.notify_all();
  runner_.join();
  {
    const std::lock_guard lock(mutex_);
    run_over_ = true;
  }
  answers_waiting_.notify_all();
  answerer_.join();
}

bool Batcher::push(Job& job) {
  bool look_earlier = false;
  {
    const std::lock_guard lock(mutex_);
    if (queue_.size() >= options_.queue) return false;
    look_earlier = job.deadline < look_;
    if (look_earlier) look_ = job.deadline;
    queue_.push_back(std::move(job));
  }
  work_.notify_one();
  if (look_earlier) answers_waiting_.notify_one();
  return true;
}

bool Batcher::cancel(std::uint64_t id) {
  Job job;
  {
    const std::lock_guard lock(mutex_);
    const auto found =
        std::find_if(queue_.begin(), queue_.end(), [id](const Job& waiting) { return waiting.id == id; });
    if (found == queue_.end()) return false;
    job = std::move(*found);
    queue_.erase(found);
  }
  auto result = failed(wire::Code::cancelled, "the request was cancelled");
  result.queue = Clock::now() - job.arrived;
  job.done(std::move(result));
  return true;
}

std::size_t Batcher::waiting() const {
  const std::lock_guard lock(mutex_);
  return queue_.size();
}

bool Batcher::idle() const {
  const std::lock_guard lock(mutex_);
  return queue_.empty() && answers_.empty() && active_ == 0;
}

std::int64_t Batcher::waiting_rows() const {
  std::int64_t rows = 0;
  for (const auto& job : queue_) rows += job.rows.count;
  return rows;
}

/// Returns with at least one waiting job and its patience at an end, or false when there is nothing left to do.
bool Batcher::wait_for_batch(std::unique_lock<std::mutex>& lock) {
  while (true) {
    work_.wait(lock, [this] { return closed_ || !queue_.empty(); });
    if (queue_.empty()) return false;
    if (closed_ || options_.delay.count() == 0 || waiting_rows() >= options_.max_batch) return true;
    const auto until = queue_.front().arrived + options_.delay;
    if (Clock::now() >= until) return true;
    work_.wait_until(lock, until);
    // The first one may have been cancelled or have expired meanwhile: look again.
    if (!queue_.empty() && Clock::now() >= queue_.front().arrived + options_.delay) return true;
  }
}

/// From the front as many as fit.
Batcher::Jobs Batcher::take_batch() {
  Jobs jobs;
  std::int64_t rows = 0;
  while (!queue_.empty() && (jobs.empty() || rows + queue_.front().rows.count <= options_.max_batch)) {
    rows += queue_.front().rows.count;
    jobs.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  return jobs;
}

std::vector<Batcher::Answer> Batcher::take_expired(Clock::time_point now) {
  std::vector<Answer> expired;
  look_ = Clock::time_point::max();
  for (auto job = queue_.begin(); job != queue_.end();) {
    if (job->deadline > now) {
      look_ = std::min(look_, job->deadline);
      ++job;
      continue;
    }
    expired.push_back({std::move(*job), failed(wire::Code::deadline, kExpired)});
    expired.back().result.queue = now - expired.back().job.arrived;
    job = queue_.erase(job);
  }
  return expired;
}

void Batcher::run_loop() {
  std::unique_lock lock(mutex_);
  while (wait_for_batch(lock)) {
    auto expired = take_expired(Clock::now());
    auto jobs = take_batch();
    ++active_;
    lock.unlock();
    deliver(std::move(expired));
    std::vector<Answer> answers;
    if (!jobs.empty()) answers = run(std::move(jobs), true);
    lock.lock();
    if (queue_.empty() && answers.size() == 1) {
      // Nothing to run meanwhile: without a change of threads the answer is there sooner. Several answers take so long
      // that the next requests come before they are out.
      lock.unlock();
      deliver(std::move(answers));
      lock.lock();
    } else {
      std::move(answers.begin(), answers.end(), std::back_inserter(answers_));
      answers_waiting_.notify_one();
    }
    --active_;
  }
}

void Batcher::answer_loop() {
  std::unique_lock lock(mutex_);
  while (true) {
    const auto due = [this] { return run_over_ || !answers_.empty() || Clock::now() >= look_; };
    // wait_until with the end of time overflows in some implementations.
    if (look_ == Clock::time_point::max()) {
      answers_waiting_.wait(lock,
                            [this] { return run_over_ || !answers_.empty() || look_ != Clock::time_point::max(); });
    } else {
      while (!due()) {
        const auto until = look_;
        if (answers_waiting_.wait_until(lock, until) == std::cv_status::timeout) break;
      }
    }
    auto answers = std::exchange(answers_, {});
    if (Clock::now() >= look_) {
      auto expired = take_expired(Clock::now());
      std::move(expired.begin(), expired.end(), std::back_inserter(answers));
    }
    if (answers.empty() && run_over_) return;
    ++active_;
    lock.unlock();
    deliver(std::move(answers));
    lock.lock();
    --active_;
  }
}

std::vector<Batcher::Answer> Batcher::run(Jobs jobs, bool again) {
  BatchRecord record;
  record.jobs = static_cast<std::int64_t>(jobs.size());
  for (const auto& job : jobs) record.rows += job.rows.count;
  const auto begin = Clock::now();
  Executor::Output output;
  try {
    float* place = executor_->input(record.rows);
    for (const auto& job : jobs) {
      job.rows.copy_to(place);
      place += job.rows.count * job.rows.row_elements;
    }
    record.input = Clock::now() - begin;
    output = executor_->run(record.rows);
    record.compute = Clock::now() - begin - record.input;
  } catch (const std::exception& error) {
    record.error = error.what();
  }
  observe_(record);
  if (!record.error.empty() && again && jobs.size() > 1) return one_by_one(std::move(jobs));
  std::vector<Answer> answers;
  const auto* from = reinterpret_cast<const char*>(output.data);
  for (auto& job : jobs) {
    JobResult result;
    if (record.error.empty()) {
      const auto bytes = static_cast<std::size_t>(job.rows.count * output_row_) * sizeof(float);
      result.output = {from, bytes};
      result.keep = output.keep;
      from += bytes;
    } else {
      // The reason is for the log alone: it may quote what the network saw.
      result = failed(wire::Code::internal, "the network failed on this request");
    }
    result.queue = begin - job.arrived;
    result.compute = record.input + record.compute;
    answers.push_back({std::move(job), std::move(result)});
  }
  return answers;
}

/// A batch that failed may have failed because of one of its requests; the others must not pay for it.
std::vector<Batcher::Answer> Batcher::one_by_one(Jobs jobs) {
  std::vector<Answer> answers;
  for (auto& job : jobs) {
    Jobs alone;
    alone.push_back(std::move(job));
    auto answer = run(std::move(alone), false);
    answers.push_back(std::move(answer.front()));
  }
  return answers;
}

void Batcher::deliver(std::vector<Answer> answers) {
  for (auto& [job, result] : answers) job.done(std::move(result));
}

}  // namespace infoscissors::serve
