#pragma once

#include "infoscissors/base/json.h"
#include "infoscissors/front/server.h"
#include "infoscissors/serve/core.h"
#include "tests/bundle/support.h"
#include "tests/support/temporary_directory.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace infoscissors::front {

/// Holds batches back while it is closed.
class Gate {
 public:
  void close() {
    const std::lock_guard lock(mutex_);
    open_ = false;
  }
  void open() {
    {
      const std::lock_guard lock(mutex_);
      open_ = true;
    }
    changed_.notify_all();
  }
  void pass() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = true;
};

/// Stands for a network: v = (sum of r, first of r).
class SumNetwork : public serve::Executor {
 public:
  explicit SumNetwork(std::shared_ptr<Gate> gate) : gate_(std::move(gate)) {}

  float* input(std::int64_t rows) override {
    input_.assign(static_cast<std::size_t>(rows * kInput), 0);
    return input_.data();
  }

  Output run(std::int64_t rows) override {
    gate_->pass();
    auto output = std::make_shared<std::vector<float>>(static_cast<std::size_t>(rows * kOutput));
    for (std::int64_t row = 0; row < rows; ++row) {
      const float* from = input_.data() + row * kInput;
      float* to = output->data() + row * kOutput;
      for (int i = 0; i < kInput; ++i) to[0] += from[i];
      to[1] = from[0];
    }
    return {.keep = output, .data = output->data()};
  }

  static constexpr int kInput = 4, kOutput = 2;

 private:
  std::shared_ptr<Gate> gate_;
  std::vector<float> input_;
};

/// A server half whose encoder is never read: r is [-1, 4], v is [-1, 2].
inline std::filesystem::path write_bundle(const std::filesystem::path& directory) {
  auto halves = tests::sample_halves();
  for (auto* half : {&halves.device, &halves.server}) {
    half->inputs = {{"r", "FP32", {-1, SumNetwork::kInput}}};
    half->outputs = {{"v", "FP32", {-1, SumNetwork::kOutput}}};
  }
  halves.device.version = halves.server.version = bundle::version_of(halves.device, halves.server);
  tests::write_halves(directory, halves);
  return directory / "server";
}

/// A core with the network above and REST on a free port of loopback.
class Running {
 public:
  explicit Running(serve::Settings settings = {}) {
    settings.bundle = {write_bundle(directory_.path() / "bundle").string()};
    settings.grpc = "";
    settings.rest = "127.0.0.1:0";
    settings.log = (directory_.path() / "log").string();
    core = std::make_unique<serve::Core>(
        settings, [gate = gate](const auto&, const auto&) { return std::make_unique<SumNetwork>(gate); });
    server = start(*core);
  }
  ~Running() { gate->open(); }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  int port() const { return std::stoi(server->address().substr(server->address().rfind(':') + 1)); }

 private:
  tests::TemporaryDirectory directory_;

 public:
  std::shared_ptr<Gate> gate = std::make_shared<Gate>();
  std::unique_ptr<serve::Core> core;
  std::unique_ptr<Server> server;
};

/// A client that can send anything.
class Client {
 public:
  explicit Client(int port);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void send(std::string_view bytes);
  void reset();  // closes with RST

  struct Answer {
    int status = 0;  // 0: the connection ended without one
    std::string head, body;
    std::string header(const std::string& name) const;
    base::Json json() const { return base::Json::parse(body); }
  };
  /// The next answer by its Content-Length.
  Answer read();
  Answer ask(std::string_view bytes) {
    send(bytes);
    return read();
  }
  Answer get(const std::string& target) { return ask("GET " + target + " HTTP/1.1\r\nHost: x\r\n\r\n"); }
  Answer post(const std::string& target, const std::string& body, const std::string& headers = "");

  /// Whether the server closes within `patience`.
  bool closed(std::chrono::milliseconds patience);

 private:
  int socket_;
  std::string buffer_;
};

}  // namespace infoscissors::front
