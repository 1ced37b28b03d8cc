#pragma once

#include "infoscissors/base/error.h"
#include "infoscissors/base/file.h"
#include "infoscissors/serve/core.h"
#include "infoscissors/serve/model.h"
#include "tests/bundle/support.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <filesystem>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace infoscissors::tests {

/// What the tests see of the networks and decide for them.
struct NetworkControl {
  std::mutex mutex;
  std::condition_variable changed;
  bool open = true;                   // closed: runs wait
  int waiting = 0;                    // runs that wait now
  std::vector<std::int64_t> batches;  // rows of each run, the warm-up left out
  std::atomic<int> alive{0};

  void close() {
    const std::lock_guard lock(mutex);
    open = false;
  }
  void release() {
    {
      const std::lock_guard lock(mutex);
      open = true;
    }
    changed.notify_all();
  }
  /// Until a run is held up.
  void wait_until_running() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [this] { return waiting > 0; });
  }
  std::vector<std::int64_t> seen() {
    const std::lock_guard lock(mutex);
    return batches;
  }
};

inline constexpr std::int64_t kInput = 4 * 8 * 8, kOutput = 16;
inline constexpr float kPoison = 666;  // a row that starts with it makes the whole run fail

/// v[k] = factor * r[k] for the first 16 elements; the factor is what encoder.pt says.
class FakeNetwork : public serve::Executor {
 public:
  FakeNetwork(std::shared_ptr<NetworkControl> control, float factor) : control_(std::move(control)), factor_(factor) {
    ++control_->alive;
  }
  ~FakeNetwork() override { --control_->alive; }
  FakeNetwork(const FakeNetwork&) = delete;
  FakeNetwork& operator=(const FakeNetwork&) = delete;

  float* input(std::int64_t rows) override {
    input_.assign(static_cast<std::size_t>(rows * kInput), -1);
    return input_.data();
  }

  Output run(std::int64_t rows) override {
    if (runs_++ >= 3) hold(rows);
    auto output = std::make_shared<std::vector<float>>(static_cast<std::size_t>(rows * kOutput));
    for (std::int64_t row = 0; row < rows; ++row) {
      const float* from = input_.data() + row * kInput;
      if (*from == kPoison) throw base::Error("poison {}", *from);
      for (std::int64_t k = 0; k < kOutput; ++k)
        (*output)[static_cast<std::size_t>(row * kOutput + k)] = factor_ * from[k];
    }
    return {.keep = output, .data = output->data()};
  }

 private:
  void hold(std::int64_t rows) {
    std::unique_lock lock(control_->mutex);
    control_->batches.push_back(rows);
    ++control_->waiting;
    control_->changed.notify_all();
    control_->changed.wait(lock, [this] { return control_->open; });
    --control_->waiting;
  }

  std::shared_ptr<NetworkControl> control_;
  const float factor_;
  std::vector<float> input_;
  int runs_ = 0;
};

inline serve::ExecutorFactory fake_networks(std::shared_ptr<NetworkControl> control) {
  return [control](const std::filesystem::path& directory, const bundle::Manifest& manifest) {
    const auto content = bundle::read_part(directory, manifest, bundle::kEncoder);
    if (content.starts_with("broken")) throw base::Error("encoder.pt is no network");
    return std::make_unique<FakeNetwork>(control, std::stof(content));
  };
}

/// Writes BUNDLE with an encoder of that factor and returns its version.
inline std::string write_network(const std::filesystem::path& bundle, const std::string& factor,
                                 const std::string& model = "net") {
  auto halves = sample_halves(factor);
  halves.device.model = halves.server.model = model;
  halves.device.version = halves.server.version = bundle::version_of(halves.device, halves.server);
  write_halves(bundle, halves, factor);
  return halves.server.version;
}

/// Safe for tests: no ports, no requests in the log, nothing that happens by itself.
inline serve::Settings quiet_settings(const std::filesystem::path& directory) {
  serve::Settings settings;
  settings.bundle = {(directory / "bundle" / "server").string()};
  settings.grpc = "127.0.0.1:0";
  settings.rest = "";
  settings.log = (directory / "log").string();
  settings.reload_seconds = 0;
  settings.deadline_ms = 60000;
  return settings;
}

/// A request whose rows hold first, first + 1, ...
inline wire::Request request_of(std::int64_t rows, float first = 1, const std::string& model = "net") {
  wire::Request request;
  request.model = model;
  std::vector<char> bytes(static_cast<std::size_t>(rows * kInput) * sizeof(float));
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t i = 0; i < kInput; ++i) {
      const float value = first + static_cast<float>(row);
      std::memcpy(bytes.data() + static_cast<std::size_t>(row * kInput + i) * sizeof(float), &value, sizeof(value));
    }
  }
  wire::Tensor tensor("representation", wire::DataType::fp32, {rows, 4, 8, 8}, {});
  tensor.own(std::move(bytes));
  request.inputs.push_back(std::move(tensor));
  return request;
}

inline std::vector<float> floats_of(std::string_view bytes) {
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), values.size() * sizeof(float));
  return values;
}

/// A request that was sent to a core, and its answer.
class Sent {
 public:
  Sent(serve::Core& core, wire::Request request, const serve::Caller& caller = {},
       std::optional<serve::Clock::time_point> deadline = {}) {
    auto promise = std::make_shared<std::promise<serve::Outcome>>();
    outcome_ = promise->get_future().share();
    ticket_ = core.infer(std::move(request), caller, deadline,
                         [promise](serve::Outcome outcome) { promise->set_value(std::move(outcome)); });
  }

  const serve::Outcome& outcome() { return outcome_.get(); }
  wire::Code code() { return outcome().code; }
  std::vector<float> values() { return floats_of(outcome().response.outputs.at(0).data); }
  bool answered() const { return outcome_.wait_for(std::chrono::seconds(0)) == std::future_status::ready; }
  void cancel() { ticket_.cancel(); }

 private:
  std::shared_future<serve::Outcome> outcome_;
  serve::Ticket ticket_;
};

/// The number behind a line of the metrics; -1 where there is none.
inline double metric(const serve::Core& core, const std::string& line) {
  const auto text = core.metrics();
  const auto at = ("\n" + text).find("\n" + line + " ");
  return at == std::string::npos ? -1 : std::stod(text.substr(at + line.size()));
}

}  // namespace infoscissors::tests
