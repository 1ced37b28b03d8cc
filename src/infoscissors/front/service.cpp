#include "infoscissors/front/service.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace infoscissors::front {
namespace {

using base::Json;
using serve::Clock;
using wire::Code;
using wire::Error;

Json describe(const std::vector<wire::TensorSpec>& tensors) {
  Json list = Json::array();
  for (const auto& tensor : tensors)
    list.push_back({{"name", tensor.name}, {"datatype", wire::name(tensor.datatype)}, {"shape", tensor.shape}});
  return list;
}

Reply describe(const serve::ServerMetadata& server) {
  return reply_json({{"name", server.name}, {"version", server.version}, {"extensions", server.extensions}});
}

Reply describe(const serve::ModelMetadata& model) {
  return reply_json({{"name", model.name},
                     {"versions", model.versions},
                     {"platform", model.platform},
                     {"inputs", describe(model.inputs)},
                     {"outputs", describe(model.outputs)}});
}

// The status is the answer; the body says it again.
Reply state(std::string_view key, bool yes) {
  auto reply = reply_json({{key, yes}});
  if (!yes) reply.status = wire::http_status(Code::unavailable);
  return reply;
}

Reply wrong_method(const Route& route) {
  auto reply = reply_status(405, fmt::format("this path answers {}", route.methods()));
  reply.allow = route.methods();
  return reply;
}

// Counts the front's own time when it goes out of scope.
class WireTime {
 public:
  explicit WireTime(serve::Core& core) : core_(core), start_(Clock::now()) {}
  ~WireTime() { core_.count_wire_time(Clock::now() - start_); }
  WireTime(const WireTime&) = delete;
  WireTime& operator=(const WireTime&) = delete;

 private:
  serve::Core& core_;
  Clock::time_point start_;
};

}  // namespace

std::optional<Clock::time_point> take_deadline(wire::Parameters& parameters, Clock::time_point now) {
  const auto found = parameters.find("timeout");
  if (found == parameters.end()) return {};
  const auto* micros = std::get_if<std::int64_t>(&found->second);
  if (micros == nullptr || *micros <= 0) {
    throw Error(Code::invalid_argument, "the parameter 'timeout' is a whole number of microseconds above 0");
  }
  // The core brings far deadlines nearer; a day is far enough not to overflow the clock.
  const auto span = std::min<std::chrono::microseconds>(std::chrono::microseconds(*micros), std::chrono::hours(24));
  parameters.erase(found);
  return now + span;
}

std::size_t Service::body_limit() const {
  return static_cast<std::size_t>(core_.message_limit());
}

Reply Service::refused(const serve::Caller& caller, Code code, const std::string& message) {
  core_.count_refused(caller, code, message);
  return reply_error(code, message);
}

std::optional<Reply> Service::refuse(const Head& head, const serve::Caller& caller) {
  try {
    const auto route = parse_route(head.target);
    if (!route.allows(head.method)) return wrong_method(route);
    if (head.ambiguous) throw Error(Code::invalid_argument, "{} is given twice", kJsonLength);
    if (head.encoded) throw Error(Code::unsupported, "bodies are read as they are; Content-Encoding is not offered");
    if (head.body_length && *head.body_length > body_limit()) {
      throw Error(Code::too_large, "the body has {} bytes; at most {} are read", *head.body_length, body_limit());
    }
    return {};
  } catch (const Error& error) {
    return refused(caller, error.code(), error.what());
  }
}

Reply Service::answer(const Head& head, const serve::Caller& caller, const std::string& more) {
  try {
    const auto route = parse_route(head.target);
    if (head.method == "OPTIONS") return {.status = 204, .content_type = "", .body = ""};
    switch (route.kind) {
      case Route::Kind::server_metadata:
        return describe(core_.metadata());
      case Route::Kind::live:
        return state("live", core_.live());
      case Route::Kind::ready:
        return state("ready", core_.ready());
      case Route::Kind::model_metadata:
        return describe(core_.metadata(route.model, route.version, caller));
      case Route::Kind::model_ready:
        return state("ready", core_.model_ready(route.model, route.version, caller));
      case Route::Kind::metrics:
        return {
            .status = 200, .content_type = "text/plain; version=0.0.4; charset=utf-8", .body = core_.metrics() + more};
      default:
        return wrong_method(route);
    }
  } catch (const Error& error) {
    return refused(caller, error.code(), error.what());
  }
}

Service::Running Service::infer(const Head& head, std::shared_ptr<const std::string> body, const serve::Caller& caller,
                                serve::Done done) {
  try {
    InferRequest parsed;
    std::optional<Clock::time_point> deadline;
    {
      const WireTime time(core_);
      const auto route = parse_route(head.target);
      parsed = parse_infer(route, head.json_length, std::move(body), [&] {
        const auto model = core_.metadata(route.model, route.version, caller);
        if (model.inputs.size() != 1 || model.outputs.size() != 1)
          throw Error(Code::invalid_argument, "a raw body needs a model with one input and one output");
        return wire::Signature{model.inputs[0], model.outputs[0]};
      });
      deadline = take_deadline(parsed.request.parameters, Clock::now());
    }
    Running running{.form = std::move(parsed.form), .ticket = {}};
    running.ticket = core_.infer(std::move(parsed.request), caller, deadline, std::move(done));
    return running;
  } catch (const Error& error) {
    core_.count_refused(caller, error.code(), error.what());
    throw;
  }
}

Reply Service::finish(const serve::Outcome& outcome, const OutputForm& form) {
  if (outcome.code != Code::ok) return reply_error(outcome.code, outcome.message);
  const WireTime time(core_);
  try {
    return reply_infer(outcome.response, form);
  } catch (const Error& error) {
    return reply_error(error.code(), error.what());
  }
}

}  // namespace infoscissors::front
