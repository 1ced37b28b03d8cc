#pragma once

#include "infoscissors/bench/load.h"
#include "infoscissors/client/session.h"
#include "infoscissors/serve/model.h"
#include "infoscissors/wire/tensor.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace infoscissors::bench {

/// What the devices send: the same tensors through every layer.
struct Traffic {
  std::string encoding;                            // "fp32", "fp16", "int8"
  std::vector<std::vector<wire::Tensor>> samples;  // one request each, of one row
  std::vector<std::vector<float>> plain;           // the rows before they were encoded
};

/// One way to the same network, from the bare call outwards.
class Layer {
 public:
  struct Bytes {
    std::uint64_t sent = 0, received = 0;  // of a request's and an answer's message, without headers
  };

  explicit Layer(std::string name) : name_(std::move(name)) {}
  virtual ~Layer() = default;
  Layer(const Layer&) = delete;
  Layer& operator=(const Layer&) = delete;

  const std::string& name() const { return name_; }

  /// Whether it is called with one request of a row each from `devices` threads, or with `devices` rows at once from
  /// one.
  virtual bool batched() const { return false; }

  /// One request as device `worker`. Throws wire::Error.
  virtual void call(const Traffic& traffic, std::size_t worker, std::uint64_t n) = 0;
  /// For batched layers.
  virtual void call_batch(const Traffic&, std::size_t /*rows*/) {}

  /// The features of the first sample, to compare the layers by, and the bytes of the call.
  virtual std::vector<float> features(const Traffic& traffic, Bytes& bytes) = 0;

  /// Process of the server; 0 where the network runs in this one.
  virtual int server() const { return 0; }

 private:
  std::string name_;
};

/// The network called as it is: rows copied in, one forward pass, `devices` rows at once. What no server can be faster
/// than. Samples are taken before encoding.
std::unique_ptr<Layer> bare_layer(std::string name, std::unique_ptr<serve::Executor> executor,
                                  std::size_t output_elements);

/// Devices with a session each. `connect` is called once for each device, when it is first needed.
struct SessionLayerOptions {
  std::function<std::shared_ptr<client::Transport>()> connect;
  client::SessionOptions session;
  int server = 0;
};
std::unique_ptr<Layer> session_layer(std::string name, SessionLayerOptions options);

}  // namespace infoscissors::bench
