#include "infoscissors/bench/layer.h"

#include <algorithm>
#include <mutex>

namespace infoscissors::bench {
namespace {

class Bare : public Layer {
 public:
  Bare(std::string name, std::unique_ptr<serve::Executor> executor, std::size_t output_elements)
      : Layer(std::move(name)), executor_(std::move(executor)), output_elements_(output_elements) {}

  bool batched() const override { return true; }

  void call(const Traffic& traffic, std::size_t, std::uint64_t) override { call_batch(traffic, 1); }

  void call_batch(const Traffic& traffic, std::size_t rows) override { run(traffic, rows); }

  std::vector<float> features(const Traffic& traffic, Bytes&) override {
    const auto output = run(traffic, 1);
    return {output.data, output.data + output_elements_};
  }

 private:
  serve::Executor::Output run(const Traffic& traffic, std::size_t rows) {
    float* place = executor_->input(static_cast<std::int64_t>(rows));
    for (std::size_t row = 0; row < rows; ++row) {
      const auto& sample = traffic.plain[row % traffic.plain.size()];
      place = std::copy(sample.begin(), sample.end(), place);
    }
    return executor_->run(static_cast<std::int64_t>(rows));
  }

  std::unique_ptr<serve::Executor> executor_;
  std::size_t output_elements_;
};

class Sessions : public Layer {
 public:
  Sessions(std::string name, SessionLayerOptions options) : Layer(std::move(name)), options_(std::move(options)) {
    options_.session.retry.attempts = 1;  // a failure is to be seen, not mended
  }

  void call(const Traffic& traffic, std::size_t worker, std::uint64_t n) override {
    infer(traffic, worker, worker + n);
  }

  std::vector<float> features(const Traffic& traffic, Bytes& bytes) override {
    auto answer = infer(traffic, 0, 0);
    bytes = {answer.bytes_sent, answer.bytes_received};
    return std::move(answer.features);
  }

  int server() const override { return options_.server; }

 private:
  client::Answer infer(const Traffic& traffic, std::size_t worker, std::uint64_t n) {
    std::vector<wire::Tensor> inputs;
    for (const auto& tensor : traffic.samples[n % traffic.samples.size()]) {
      inputs.emplace_back(tensor.name, tensor.datatype, tensor.shape, tensor.data);
    }
    return session(worker).infer(std::move(inputs), 1);
  }

  client::Session& session(std::size_t worker) {
    const std::lock_guard lock(mutex_);
    while (sessions_.size() <= worker) {
      sessions_.push_back(std::make_unique<client::Session>(options_.connect(), options_.session));
    }
    return *sessions_[worker];
  }

  SessionLayerOptions options_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<client::Session>> sessions_;
};

}  // namespace

std::unique_ptr<Layer> bare_layer(std::string name, std::unique_ptr<serve::Executor> executor,
                                  std::size_t output_elements) {
  return std::make_unique<Bare>(std::move(name), std::move(executor), output_elements);
}

std::unique_ptr<Layer> session_layer(std::string name, SessionLayerOptions options) {
  return std::make_unique<Sessions>(std::move(name), std::move(options));
}

}  // namespace infoscissors::bench
