#include "infoscissors/serve/metrics.h"

#include <fmt/format.h>

#include <algorithm>

namespace infoscissors::serve {
namespace {

using Models = std::map<std::pair<std::string, std::string>, std::shared_ptr<ModelMetrics>>;

std::string header(const char* name, const char* type, const char* help) {
  return fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
}

std::string labels(const Models::value_type& entry) {
  return fmt::format("model=\"{}\",version=\"{}\"", entry.first.first, entry.first.second);
}

template <class Read>
std::string counter(const Models& models, const char* name, const char* help, Read read) {
  auto text = header(name, "counter", help);
  for (const auto& entry : models) text += fmt::format("{}{{{}}} {}\n", name, labels(entry), read(*entry.second));
  return text;
}

template <class Read>
std::string histogram(const Models& models, const char* name, const char* help, Read read) {
  auto text = header(name, "histogram", help);
  for (const auto& entry : models) text += read(*entry.second).text(name, labels(entry));
  return text;
}

std::string failures_text(const Models& models, const std::array<std::atomic<std::uint64_t>, kReasons>& early) {
  constexpr const char* kName = "infoscissors_failures_total";
  auto text = header(kName, "counter", "Requests that failed, by reason; without a model: before it was found.");
  const auto lines = [&](const std::string& prefix, const auto& counts) {
    for (int i = 0; i < kReasons; ++i) {
      text += fmt::format("{}{{{}reason=\"{}\"}} {}\n", kName, prefix, name(static_cast<Reason>(i)),
                          counts[static_cast<std::size_t>(i)].load());
    }
  };
  lines("", early);
  for (const auto& entry : models) lines(labels(entry) + ",", entry.second->failures);
  return text;
}

}  // namespace

const char* name(Reason reason) {
  constexpr std::array<const char*, kReasons> kNames{
      "bad_request", "too_large", "unknown_model", "unsupported",        "queue_full",
      "draining",    "loading",   "device_rate",   "device_concurrency", "unauthenticated",
      "not_allowed", "deadline",  "cancelled",     "network_failed",
  };
  return kNames.at(static_cast<std::size_t>(reason));
}

Reason reason_of(wire::Code code) {
  switch (code) {
    case wire::Code::ok:
    case wire::Code::invalid_argument:
      return Reason::bad_request;
    case wire::Code::not_found:
      return Reason::unknown_model;
    case wire::Code::unavailable:
      return Reason::loading;
    case wire::Code::too_large:
      return Reason::too_large;
    case wire::Code::limited:
      return Reason::device_rate;
    case wire::Code::unsupported:
      return Reason::unsupported;
    case wire::Code::internal:
      return Reason::network_failed;
    case wire::Code::unauthenticated:
      return Reason::unauthenticated;
    case wire::Code::permission_denied:
      return Reason::not_allowed;
    case wire::Code::deadline:
      return Reason::deadline;
    case wire::Code::cancelled:
      return Reason::cancelled;
  }
  return Reason::network_failed;
}

std::vector<double> duration_bounds() {
  return {0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};
}

void Histogram::add(double value) {
  const auto place = std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin();
  counts_[static_cast<std::size_t>(place)].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(value, std::memory_order_relaxed);
}

std::string Histogram::text(const std::string& name, const std::string& labels) const {
  std::string text;
  const auto separator = labels.empty() ? "" : ",";
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    total += counts_[i].load(std::memory_order_relaxed);
    const auto bound = i < bounds_.size() ? fmt::format("{}", bounds_[i]) : "+Inf";
    text += fmt::format("{}_bucket{{{}{}le=\"{}\"}} {}\n", name, labels, separator, bound, total);
  }
  const auto braces = labels.empty() ? "" : "{" + labels + "}";
  text += fmt::format("{}_sum{} {}\n", name, braces, sum_.load(std::memory_order_relaxed));
  text += fmt::format("{}_count{} {}\n", name, braces, total);
  return text;
}

std::shared_ptr<ModelMetrics> Metrics::model(const std::string& model, const std::string& version) {
  const std::lock_guard lock(mutex_);
  auto& entry = models_[{model, version}];
  if (!entry) entry = std::make_shared<ModelMetrics>();
  return entry;
}

std::string Metrics::text() const {
  const auto models = [this] {
    const std::lock_guard lock(mutex_);
    return models_;
  }();
  auto text = counter(models, "infoscissors_success_total", "Requests that were answered.",
                      [](const ModelMetrics& m) { return m.success.count.load(); });
  text += failures_text(models, failures);
  text += counter(models, "infoscissors_rows_total", "Rows that ran through a network.",
                  [](const ModelMetrics& m) { return m.rows.load(); });
  text += counter(models, "infoscissors_batches_total", "Batches that ran through a network.",
                  [](const ModelMetrics& m) { return m.batches.load(); });
  text += counter(models, "infoscissors_failed_batches_total", "Batches in which the network failed.",
                  [](const ModelMetrics& m) { return m.failed_batches.load(); });
  text += histogram(models, "infoscissors_request_seconds", "From the request to its answer, within the server.",
                    [](const ModelMetrics& m) -> const Histogram& { return m.request_seconds; });
  text += histogram(models, "infoscissors_queue_seconds", "Time in the queue.",
                    [](const ModelMetrics& m) -> const Histogram& { return m.queue_seconds; });
  text += histogram(models, "infoscissors_compute_seconds", "Time of a batch in the network.",
                    [](const ModelMetrics& m) -> const Histogram& { return m.compute_seconds; });
  text += histogram(models, "infoscissors_batch_rows", "Rows of a batch.",
                    [](const ModelMetrics& m) -> const Histogram& { return m.batch_rows; });
  text += header("infoscissors_wire_seconds", "histogram", "Reading a request's message and writing its answer's.");
  text += wire_seconds.text("infoscissors_wire_seconds", "");
  text += header("infoscissors_pending", "gauge", "Requests accepted and not yet answered.");
  text += fmt::format("infoscissors_pending {}\n", pending.load());
  text += header("infoscissors_reloads_total", "counter", "Versions that were loaded.");
  text += fmt::format("infoscissors_reloads_total {}\n", reloads.load());
  text += header("infoscissors_failed_reloads_total", "counter", "Versions that could not be loaded.");
  text += fmt::format("infoscissors_failed_reloads_total {}\n", failed_reloads.load());
  return text;
}

}  // namespace infoscissors::serve
