#include "infoscissors/client/session.h"

#include <algorithm>
#include <cstring>

namespace infoscissors::client {
namespace {

using wire::Code;
using wire::Error;

double micros(Clock::duration duration) {
  return std::chrono::duration<double, std::micro>(duration).count();
}

/// A duration that the server claims; nothing where it claims none or an impossible one.
std::optional<double> claimed(const wire::Response& response, std::string_view key, double at_most) {
  const auto found = response.parameters.find(key);
  if (found == response.parameters.end()) return std::nullopt;
  const auto* value = std::get_if<std::int64_t>(&found->second);
  if (!value || *value < 0 || static_cast<double>(*value) > at_most) return std::nullopt;
  return static_cast<double>(*value);
}

void check_version(const wire::Response& response, const std::string& pinned) {
  if (pinned.empty()) return;
  const auto found = response.parameters.find(wire::kVersionId);
  const auto* value = found == response.parameters.end() ? nullptr : std::get_if<std::string>(&found->second);
  if (!value) {
    throw Error(Code::internal,
                "the server does not say which version answered; one that is not this program's needs --foreign");
  }
  if (*value != pinned) {
    throw Error(Code::internal, "version {} answered instead of {}", wire::printable(*value), pinned);
  }
}

std::string describe(const std::vector<wire::TensorSpec>& specs) {
  std::string list;
  for (const auto& spec : specs) {
    list += (list.empty() ? "" : ", ") + fmt::format("{} {}", wire::name(spec.datatype), wire::text(spec.shape));
  }
  return list.empty() ? "none" : list;
}

/// The one tensor of that type and these sizes; -1 stands for any.
wire::TensorSpec matching(const std::vector<wire::TensorSpec>& theirs, const wire::TensorSpec& expected,
                          const char* what) {
  const auto fits = [&](const wire::TensorSpec& spec) {
    if (spec.datatype != expected.datatype || spec.shape.size() != expected.shape.size()) return false;
    for (std::size_t i = 0; i < spec.shape.size(); ++i) {
      if (spec.shape[i] != -1 && spec.shape[i] != expected.shape[i]) return false;
    }
    return true;
  };
  if (theirs.size() != 1 || !fits(theirs[0])) {
    throw Error(Code::invalid_argument, "the server's model has other {}s than the encoder: {} instead of {}", what,
                describe(theirs), describe({expected}));
  }
  return {theirs[0].name, expected.datatype, expected.shape};
}

}  // namespace

Session::Session(std::shared_ptr<Transport> transport, SessionOptions options)
    : transport_(std::move(transport)), options_(std::move(options)), seed_(entropy()), wait_(pause) {
  wire::validate(options_.signature);
}

wire::Request Session::request(std::vector<wire::Tensor> inputs) {
  wire::Request request;
  request.model = options_.model;
  request.id = fmt::format("{:016x}", seed_ + ++calls_);
  request.inputs = std::move(inputs);
  if (!options_.version_id.empty()) request.parameters.emplace(wire::kVersionId, options_.version_id);
  return request;
}

Answer Session::check(const Reply& reply, const wire::Request& request, std::int64_t rows, double round_trip_us) const {
  const auto& response = reply.response;
  if (!response.id.empty() && response.id != request.id) {
    throw Error(Code::internal, "the server's answer is to another request");
  }
  check_version(response, options_.version_id);
  const auto data = wire::check(response, options_.signature, rows);
  Answer answer;
  answer.features.resize(data.size() / sizeof(float));
  std::memcpy(answer.features.data(), data.data(), data.size());
  answer.round_trip_us = round_trip_us;
  answer.queue_us = claimed(response, wire::kQueueMicros, round_trip_us);
  answer.compute_us = claimed(response, wire::kComputeMicros, round_trip_us - answer.queue_us.value_or(0));
  return answer;
}

Answer Session::infer(std::vector<wire::Tensor> inputs, std::int64_t rows, const std::stop_token& stop) {
  const auto deadline = Clock::now() + options_.deadline;
  const auto call = request(std::move(inputs));
  Backoff backoff(options_.retry, seed_ ^ calls_);
  std::uint64_t sent = 0, received = 0;
  for (int attempt = 1;; ++attempt) {
    if (stop.stop_requested()) throw Error(Code::cancelled, "the call was stopped");
    try {
      const auto begin = Clock::now();
      const auto reply = transport_->infer(call, deadline, stop);
      const double round_trip = micros(Clock::now() - begin);
      sent += reply.bytes_sent;
      received += reply.bytes_received;
      auto answer = check(reply, call, rows, round_trip);
      answer.attempts = attempt;
      answer.bytes_sent = sent;
      answer.bytes_received = received;
      return answer;
    } catch (const Error& error) {
      if (error.code() != Code::unavailable || attempt >= options_.retry.attempts) {
        throw Error(error.code(), "{}: {}{}", transport_->destination(), error.what(),
                    attempt > 1 ? fmt::format(" (attempt {})", attempt) : "");
      }
      const auto interval = backoff.next();
      if (Clock::now() + interval >= deadline) {
        throw Error(Code::deadline, "{}: no answer within {} ms: {}", transport_->destination(),
                    options_.deadline.count(), error.what());
      }
      if (!wait_(interval, stop)) throw Error(Code::cancelled, "the call was stopped");
    }
  }
}

wire::Signature foreign_signature(const ModelMetadata& metadata, const wire::Signature& expected) {
  return {matching(metadata.inputs, expected.input, "input"), matching(metadata.outputs, expected.output, "output")};
}

}  // namespace infoscissors::client
