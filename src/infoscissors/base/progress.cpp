#include "infoscissors/base/progress.h"

#include "infoscissors/base/log.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdio>

namespace infoscissors::base {
namespace {

std::atomic<bool> quiet_flag{false};
constexpr int kBarWidth = 24;

}  // namespace

std::string format_seconds(double seconds) {
  const auto whole = static_cast<std::int64_t>(std::llround(std::max(0.0, seconds)));
  if (whole >= 3600) return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
  if (whole >= 60) return fmt::format("{}:{:02}", whole / 60, whole % 60);
  return fmt::format("{} s", whole);
}

void Progress::set_quiet(bool quiet) {
  quiet_flag = quiet;
}

Progress::Progress(std::string label, std::int64_t total, std::string unit)
    : label_(std::move(label)),
      total_(std::max<std::int64_t>(1, total)),
      unit_(std::move(unit)),
      shown_(begin_),
      terminal_(::isatty(STDERR_FILENO) != 0) {}

Progress::~Progress() {
  clear();
}

void Progress::clear() {
  if (drawn_) std::fputs("\r\033[K", stderr);
  drawn_ = false;
}

std::string Progress::line(std::string_view note) const {
  const double elapsed = std::chrono::duration<double>(Clock::now() - begin_).count();
  const double rate = elapsed > 0 ? static_cast<double>(done_ - first_) / elapsed : 0;
  const std::string left = rate > 0 ? format_seconds(static_cast<double>(total_ - done_) / rate) : "?";
  return fmt::format("{}/{} {}  {:.3g} {}/s  {} left  {}", done_, total_, unit_, rate, unit_, left, note);
}

void Progress::update(std::int64_t done, std::string_view note) {
  if (first_ < 0) first_ = std::max<std::int64_t>(0, done - 1);
  done_ = done;
  if (quiet_flag) return;
  const auto now = Clock::now();
  const auto wait = terminal_ ? std::chrono::milliseconds(100) : std::chrono::milliseconds(10000);
  if (now - shown_ < wait) return;
  shown_ = now;
  if (!terminal_) {
    log::info("{}: {}", label_, line(note));
    return;
  }
  const auto filled = static_cast<std::size_t>(kBarWidth * std::clamp<std::int64_t>(done_, 0, total_) / total_);
  const std::string bar = std::string(filled, '#') + std::string(kBarWidth - filled, '-');
  std::fputs(fmt::format("\r\033[K{} [{}] {}", label_, bar, line(note)).c_str(), stderr);
  std::fflush(stderr);
  drawn_ = true;
}

}  // namespace infoscissors::base
