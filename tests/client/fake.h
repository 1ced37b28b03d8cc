#pragma once

#include "infoscissors/client/transport.h"
#include "infoscissors/wire/error.h"

#include <cstring>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace infoscissors::tests {

/// A server that answers as a script says, one step an attempt, and afterwards honestly.
class ScriptedTransport : public client::Transport {
 public:
  using Step = std::function<client::Reply(const wire::Request&)>;

  explicit ScriptedTransport(wire::Signature signature) : signature_(std::move(signature)) {}

  void then(Step step) { script_.push_back(std::move(step)); }
  void then_fail(wire::Code code, const std::string& message = "scripted") {
    then([code, message](const wire::Request&) -> client::Reply { throw wire::Error(code, message); });
  }
  /// An honest answer after `change` had its way with it.
  void then_change(std::function<void(wire::Response&)> change) {
    then([this, change = std::move(change)](const wire::Request& request) {
      auto reply = honest(request);
      change(reply.response);
      return reply;
    });
  }

  /// Feature i of each row is i / 16, the version is repeated.
  client::Reply honest(const wire::Request& request) const {
    client::Reply reply;
    reply.response.model = request.model;
    reply.response.id = request.id;
    reply.response.parameters = request.parameters;
    reply.response.parameters.insert_or_assign(std::string(wire::kQueueMicros), std::int64_t{0});
    reply.response.parameters.insert_or_assign(std::string(wire::kComputeMicros), std::int64_t{0});
    const auto rows = request.inputs.at(0).shape.at(0);
    auto shape = signature_.output.shape;
    shape[0] = rows;
    std::vector<char> bytes;
    for (std::int64_t row = 0; row < rows; ++row) {
      for (std::int64_t i = 0; i < signature_.output.row_elements(); ++i) {
        const float value = static_cast<float>(i) / 16;
        bytes.insert(bytes.end(), reinterpret_cast<const char*>(&value), reinterpret_cast<const char*>(&value + 1));
      }
    }
    reply.response.outputs.emplace_back(signature_.output.name, wire::DataType::fp32, shape, std::string_view());
    reply.response.outputs[0].own(std::move(bytes));
    for (const auto& input : request.inputs) reply.bytes_sent += input.data.size();
    reply.bytes_received = reply.response.outputs[0].data.size();
    return reply;
  }

  client::Reply infer(const wire::Request& request, client::Clock::time_point deadline,
                      const std::stop_token&) override {
    const std::lock_guard lock(mutex_);
    ids.push_back(request.id);
    sent.emplace_back(request.inputs.at(0).data);
    versions.push_back(request.parameters.contains(wire::kVersionId)
                           ? std::get<std::string>(request.parameters.at(std::string(wire::kVersionId)))
                           : "");
    deadlines.push_back(deadline);
    if (script_.empty()) return honest(request);
    const auto step = std::move(script_.front());
    script_.pop_front();
    return step(request);
  }

  client::ModelMetadata metadata(const std::string&, client::Clock::time_point, const std::stop_token&) override {
    return {{signature_.input}, {signature_.output}};
  }

  std::string destination() const override { return "the script"; }

  std::vector<std::string> ids, sent, versions;
  std::vector<client::Clock::time_point> deadlines;

 private:
  wire::Signature signature_;
  std::deque<Step> script_;
  std::mutex mutex_;
};

}  // namespace infoscissors::tests
