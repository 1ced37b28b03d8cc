#include "infoscissors/sweep/scheduler.h"

#include "infoscissors/base/error.h"
#include "infoscissors/base/file.h"
#include "infoscissors/base/interrupt.h"
#include "infoscissors/base/log.h"
#include "infoscissors/base/progress.h"
#include "infoscissors/sweep/claim.h"
#include "infoscissors/sweep/process.h"
#include "infoscissors/sweep/resources.h"
#include "infoscissors/sweep/state.h"
#include "infoscissors/sweep/worker.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstring>
#include <map>
#include <thread>

namespace infoscissors::sweep {
namespace {

namespace fs = std::filesystem;
using base::Error;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kPoll{50};    // for children
constexpr std::chrono::milliseconds kLook{1000};  // at what other processes do on the disk
constexpr std::int64_t kMostJobsOnGpu = 4;

enum class Status { waiting, running, done, failed, blocked };

struct Item {
  const PlannedRun* run = nullptr;
  RunState state;
  Status status = Status::waiting;
  bool ours = false;    // in this shard: counts
  bool needed = false;  // ours, or its network is needed by one that is
  bool elsewhere = false;
  std::int64_t abandoned = 0;  // generation of its claim, if that was seen to be abandoned
  pid_t process = 0;
  Clock::time_point begin{};
  Clock::time_point looked{};
};

class Scheduler {
 public:
  Scheduler(const fs::path& directory, const Plan& plan, const ScheduleOptions& options)
      : directory_(directory), options_(options) {
    for (std::size_t i = 0; i < plan.runs.size(); ++i) {
      index_[plan.runs[i].hash] = i;
      items_.push_back({.run = &plan.runs[i], .state = read_state(directory, plan.runs[i], options.finished)});
    }
    choose();
    for (const auto& item : items_) measure(item);
  }

  Tally run() {
    try {
      return run_to_the_end();
    } catch (...) {
      end_children();
      throw;
    }
  }

 private:
  Tally run_to_the_end() {
    const auto begin = Clock::now();
    base::Progress progress("sweep", count(&Item::needed), "runs");
    while (unfinished()) {
      if (base::interrupt_requested()) stop();
      for (auto& item : items_) {
        if (item.process != 0) collect(item, progress);
      }
      launch(progress);
      progress.update(finished_count(), note());
      std::this_thread::sleep_for(kPoll);
    }
    auto tally = result();
    tally.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    return tally;
  }

  // What has to be done ------------------------------------------------------------------------------------------

  void choose() {
    for (std::size_t i = 0; i < items_.size(); ++i) {
      auto& item = items_[i];
      item.ours = item.run->wanted && options_.shard.has(i);
      item.needed = item.ours;
    }
    for (auto& item : items_) {
      if (!item.ours) continue;
      settle(item);
      if (item.status != Status::waiting) continue;
      for (const auto& hash : {item.run->source, item.run->judge}) {
        if (!hash.empty()) items_[index_.at(hash)].needed = true;
      }
    }
    for (auto& item : items_) {
      if (item.needed && !item.ours) settle(item);
    }
  }

  /// Status of an item from its state alone.
  void settle(Item& item) const {
    if (reached(item)) {
      item.status = Status::done;
    } else if (item.state.failed && !options_.retry) {
      item.status = Status::failed;
    }
  }

  /// Of another shard's run only the network is needed; of one that the table has, only where others start from it.
  bool reached(const Item& item) const {
    if (!item.ours) return item.state.trained;
    return item.state.done() && (item.state.trained || !is_source_of_waiting(item));
  }

  bool is_source_of_waiting(const Item& item) const {
    return std::any_of(items_.begin(), items_.end(), [&](const Item& other) {
      return other.ours && !other.state.done() &&
             (other.run->source == item.run->hash || other.run->judge == item.run->hash);
    });
  }

  std::int64_t count(bool Item::*flag) const {
    return std::count_if(items_.begin(), items_.end(), [&](const Item& item) { return item.*flag; });
  }

  std::int64_t count(Status status) const {
    return std::count_if(items_.begin(), items_.end(),
                         [&](const Item& item) { return item.needed && item.status == status; });
  }

  std::int64_t finished_count() const { return count(Status::done) + count(Status::failed) + count(Status::blocked); }
  bool unfinished() const { return count(Status::waiting) + count(Status::running) > 0; }

  std::string note() const {
    std::string text = fmt::format("{} running", count(Status::running));
    const auto elsewhere = std::count_if(items_.begin(), items_.end(), [](const Item& item) {
      return item.needed && item.elsewhere && item.status == Status::waiting;
    });
    if (elsewhere > 0) text += fmt::format(", {} by others", elsewhere);
    return text + fmt::format(", {} failed", count(Status::failed) + count(Status::blocked));
  }

  // Starting -----------------------------------------------------------------------------------------------------

  void launch(base::Progress& progress) {
    while (count(Status::running) < most_jobs()) {
      Item* next = choose_next();
      if (next == nullptr || !memory_suffices()) return;
      require_disk();
      start(*next, progress);
    }
  }

  std::int64_t most_jobs() const {
    if (options_.jobs > 0) return options_.jobs;
    const auto cores = std::max<std::int64_t>(1, usable_cores() / std::max<std::int64_t>(1, options_.threads));
    return options_.gpu ? std::min(cores, kMostJobsOnGpu) : cores;
  }

  /// A single run is started whatever the memory; it may be smaller than assumed.
  bool memory_suffices() const {
    return options_.jobs > 0 || count(Status::running) == 0 || available_memory() > memory_;
  }

  void require_disk() const {
    const auto left = free_disk(directory_);
    if (left >= disk_) return;
    throw Error("{}: the disk has {:.1f} MiB left and a run needs about {:.1f}; make room and repeat the command",
                directory_.string(), left / (1 << 20), disk_ / (1 << 20));
  }

  Item* choose_next() {
    for (auto& item : items_) {
      if (!item.needed || item.status != Status::waiting || !sources_ready(item)) continue;
      if (item.status == Status::waiting && unclaimed(item)) return &item;
    }
    return nullptr;
  }

  bool sources_ready(Item& item) {
    if (!item.run->source.empty()) {
      auto& source = items_[index_.at(item.run->source)];
      if (!trained(source)) {
        if (source.status == Status::failed) item.status = Status::blocked;
        return false;
      }
    }
    if (item.run->judge.empty()) return true;
    auto& judge = items_[index_.at(item.run->judge)];
    return trained(judge) || judge.status == Status::failed;  // it goes on without being judged
  }

  bool trained(Item& item) {
    if (!item.state.trained && due(item)) item.state = read_state(directory_, *item.run, options_.finished);
    return item.state.trained;
  }

  static bool due(Item& item) {
    const auto now = Clock::now();
    if (now - item.looked < kLook) return false;
    item.looked = now;
    return true;
  }

  /// Whether nobody works on it, as far as can be seen. Another process may also have finished it meanwhile.
  bool unclaimed(Item& item) {
    if (item.elsewhere && !due(item)) return false;
    const auto claim = read_claim(directory_ / kClaims, item.run->hash);
    item.abandoned = claim && watch_.abandoned(item.run->hash, *claim) ? claim->generation : 0;
    const bool taken = claim && item.abandoned == 0;
    if (!taken && item.elsewhere) {
      item.state = read_state(directory_, *item.run, options_.finished);
      settle_after(item);
    }
    item.elsewhere = taken;
    return !taken && item.status == Status::waiting;
  }

  void settle_after(Item& item) {
    if (reached(item)) {
      item.status = Status::done;
    } else if (item.state.failed) {
      item.status = Status::failed;
    }
  }

  void start(Item& item, base::Progress& progress) {
    const auto& run = *item.run;
    const auto path = run_directory(directory_, run.hash);
    base::ensure_directory(path);
    std::vector<std::string> command = {options_.program, "--quiet",
                                        "--threads",      fmt::format("{}", options_.threads),
                                        "--device",       options_.device,
                                        "sweep",          "work",
                                        directory_,       run.hash,
                                        "--parent",       fmt::format("{}", ::getpid()),
                                        "--abandoned",    fmt::format("{}", item.abandoned)};
    if (item.ours) {
      for (const auto& attack : item.state.missing) command.insert(command.end(), {"--attack", attack});
    }
    item.process = start_process(command, child_environment(options_.threads), path / "output.txt");
    item.status = Status::running;
    item.begin = Clock::now();
    progress.clear();
    base::log::debug("{}: started", title(run));
  }

  // Ending -------------------------------------------------------------------------------------------------------

  void collect(Item& item, base::Progress& progress) {
    const auto ended = poll_process(item.process);
    if (!ended) return;
    item.process = 0;
    item.status = Status::waiting;
    if (ended->signal == 0 && ended->status == kBusy) {
      item.elsewhere = true;
      return;
    }
    if (ended->status == kStopped) return;
    if (ended->status == kDiskFull) give_up();
    item.state = read_state(directory_, *item.run, options_.finished);
    if (ended->signal != 0 || (!reached(item) && !item.state.failed)) {
      record_failure(directory_, *item.run, how(*ended, item));
      item.state = read_state(directory_, *item.run, options_.finished);
    }
    progress.clear();
    if (ended->signal == 0 && ended->status == 0 && reached(item)) {
      item.status = Status::done;
      measure(item);
      base::log::info("{}/{} {}: {}", finished_count(), count(&Item::needed), title(*item.run),
                      base::format_seconds(std::chrono::duration<double>(Clock::now() - item.begin).count()));
    } else {
      item.status = Status::failed;
      base::log::warning("{}: failed: {}", title(*item.run), item.state.error);
    }
  }

  std::string how(const Ended& ended, const Item& item) const {
    const auto output = run_directory(directory_, item.run->hash) / "output.txt";
    if (ended.signal == SIGKILL) return fmt::format("was killed (signal 9): out of memory? See {}", output.string());
    if (ended.signal != 0) {
      return fmt::format("was ended by signal {} ({}); see {}", ended.signal, ::strsignal(ended.signal),
                         output.string());
    }
    return fmt::format("ended with status {} before it was finished; see {}", ended.status, output.string());
  }

  /// Runs of this sweep are alike; the largest so far says what the next one takes.
  void measure(const Item& item) {
    const auto usage = load_usage(run_directory(directory_, item.run->hash));
    if (!usage) return;
    constexpr double kMargin = 1.2, kCopies = 2;  // a checkpoint is replaced by a new one beside it
    memory_ = measured_ ? std::max(memory_, kMargin * usage->memory) : kMargin * usage->memory;
    disk_ = measured_ ? std::max(disk_, kCopies * usage->disk) : kCopies * usage->disk;
    measured_ = true;
  }

  void end_children() {
    for (const auto& item : items_) {
      if (item.process != 0) ::kill(item.process, SIGTERM);
    }
    for (auto& item : items_) {
      while (item.process != 0 && !poll_process(item.process)) std::this_thread::sleep_for(kPoll);
      item.process = 0;
    }
  }

  [[noreturn]] void stop() {
    base::log::info("stopping: {} runs save their state", count(Status::running));
    end_children();  // before it is said, so that nothing goes on behind the prompt
    throw base::Interrupted("interrupted after {} of {} runs; the same command goes on", count(Status::done),
                            count(&Item::needed));
  }

  [[noreturn]] void give_up() {
    throw Error(
        "{}: no space left on the disk, {:.1f} MiB; {} of {} runs are finished; make room and repeat the command",
        directory_.string(), free_disk(directory_) / (1 << 20), count(Status::done), count(&Item::needed));
  }

  Tally result() const {
    Tally tally;
    for (const auto& item : items_) {
      if (!item.needed) continue;
      tally.total += 1;
      tally.done += item.status == Status::done ? 1 : 0;
      tally.failed += item.status == Status::failed ? 1 : 0;
      tally.blocked += item.status == Status::blocked ? 1 : 0;
      tally.in_table += item.status == Status::done && item.state.in_table ? 1 : 0;
      if (item.status == Status::failed) tally.errors.push_back(title(*item.run) + ": " + item.state.error);
    }
    return tally;
  }

  fs::path directory_;
  const ScheduleOptions& options_;
  std::vector<Item> items_;
  std::map<std::string, std::size_t> index_;
  ClaimWatch watch_;
  double memory_ = kAssumedMemory, disk_ = kAssumedDisk;
  bool measured_ = false;
};

}  // namespace

Tally run_plan(const fs::path& directory, const Plan& plan, const ScheduleOptions& options) {
  base::ensure_directory(directory / "runs");
  base::ensure_directory(directory / kClaims);
  return Scheduler(directory, plan, options).run();
}

}  // namespace infoscissors::sweep
