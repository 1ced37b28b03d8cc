#pragma once

#include "infoscissors/wire/error.h"

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace infoscissors::serve {

/// Why a request failed, more finely than its code: the label `reason`.
enum class Reason {
  bad_request,
  too_large,
  unknown_model,
  unsupported,
  queue_full,
  draining,
  loading,
  device_rate,
  device_concurrency,
  unauthenticated,
  not_allowed,
  deadline,
  cancelled,
  network_failed,
};
inline constexpr int kReasons = 14;
const char* name(Reason reason);
/// The reason behind a code where nothing finer is known.
Reason reason_of(wire::Code code);

/// A histogram in Prometheus' sense: fixed upper bounds, plus one bucket for the rest.
class Histogram {
 public:
  explicit Histogram(std::vector<double> bounds) : bounds_(std::move(bounds)), counts_(bounds_.size() + 1) {}

  void add(double value);
  /// Lines `NAME_bucket{LABELS,le="..."}`, `NAME_sum`, `NAME_count`; labels without braces.
  std::string text(const std::string& name, const std::string& labels) const;

 private:
  std::vector<double> bounds_;
  std::vector<std::atomic<std::uint64_t>> counts_;
  std::atomic<double> sum_{0};
};

/// Seconds from 50 microseconds to 10 s.
std::vector<double> duration_bounds();

struct Total {
  std::atomic<std::uint64_t> count{0}, ns{0};
  void add(std::chrono::nanoseconds time) {
    count.fetch_add(1, std::memory_order_relaxed);
    ns.fetch_add(static_cast<std::uint64_t>(time.count()), std::memory_order_relaxed);
  }
};

/// What is counted for one version of a model.
struct ModelMetrics {
  std::atomic<std::uint64_t> rows{0}, batches{0}, failed_batches{0}, last_inference_ms{0};
  std::array<std::atomic<std::uint64_t>, kReasons> failures{};
  Total success, fail, queue, input, compute, output;
  Histogram request_seconds{duration_bounds()};
  Histogram queue_seconds{duration_bounds()};
  Histogram compute_seconds{duration_bounds()};
  Histogram batch_rows{{1, 2, 4, 8, 16, 32, 64, 128, 256}};
};

/// Every number of the server. Labels are the server's own names, never what a client sent.
class Metrics {
 public:
  /// The same object for the same names.
  std::shared_ptr<ModelMetrics> model(const std::string& model, const std::string& version);

  /// Failures before a model was found.
  std::array<std::atomic<std::uint64_t>, kReasons> failures{};
  std::atomic<std::uint64_t> reloads{0}, failed_reloads{0};
  std::atomic<std::int64_t> pending{0};
  Histogram wire_seconds{duration_bounds()};

  std::string text() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, std::shared_ptr<ModelMetrics>> models_;
};

}  // namespace infoscissors::serve
