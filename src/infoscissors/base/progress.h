#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace infoscissors::base {

/// Progress of a long piece of work on stderr: a bar with rate and time left on a terminal, a plain line about every
/// ten seconds elsewhere, nothing when `quiet`.
class Progress {
 public:
  Progress(std::string label, std::int64_t total, std::string unit = "steps");
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// `done` of total; `note` is shown behind the bar ("loss 0.31").
  void update(std::int64_t done, std::string_view note = {});
  /// Removes the bar, so that a log line can be printed in its place.
  void clear();

  static void set_quiet(bool quiet);

 private:
  using Clock = std::chrono::steady_clock;
  std::string line(std::string_view note) const;

  std::string label_;
  std::int64_t total_;
  std::string unit_;
  std::int64_t done_ = 0;
  std::int64_t first_ = -1;  // where a resumed piece of work began, for an honest rate
  Clock::time_point begin_ = Clock::now();
  Clock::time_point shown_;
  bool terminal_;
  bool drawn_ = false;
};

/// "1:02:03", "2:03" or "7 s".
std::string format_seconds(double seconds);

}  // namespace infoscissors::base
