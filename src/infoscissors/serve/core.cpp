#include "infoscissors/serve/core.h"

#include "infoscissors/base/machine.h"
#include "infoscissors/serve/admission.h"
#include "infoscissors/serve/batcher.h"
#include "infoscissors/serve/metrics.h"
#include "infoscissors/serve/repository.h"
#include "infoscissors/serve/request_log.h"
#include "infoscissors/serve/rights.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <random>

namespace infoscissors::serve {
namespace {

using wire::Code;
using wire::Error;

/// A refusal that knows its reason.
class Refused : public Error {
 public:
  Refused(Reason reason, Code code, const std::string& message) : Error(code, message), reason_(reason) {}
  Reason reason() const { return reason_; }

 private:
  Reason reason_;
};

/// What stays known of a request until it is answered.
struct Call {
  Caller caller;
  std::string request;  // the server's own id, for the log
  std::string id;       // the client's
  std::string key;      // of the device's limits; empty: not admitted yet
  Clock::time_point arrived = Clock::now();
  std::shared_ptr<ModelMetrics> metrics;
  std::string model, version;  // the server's own names, once found
  wire::Shape output;          // shape of the answer
  std::string output_name;
  std::int64_t rows = 0;
  std::size_t bytes = 0;
  wire::DataType datatype = wire::DataType::fp32;
  Done done;
};

std::int64_t micros(Nanoseconds time) {
  return std::chrono::duration_cast<std::chrono::microseconds>(time).count();
}

std::string pin_of(const wire::Request& request) {
  const auto found = request.parameters.find(wire::kVersionId);
  if (found == request.parameters.end()) return {};
  const auto* text = std::get_if<std::string>(&found->second);
  if (!text) throw Error(Code::invalid_argument, "the parameter version_id must be text");
  return *text;
}

wire::Limits limits_of(const Settings& settings) {
  wire::Limits limits;
  limits.max_rows = settings.max_rows > 0 ? settings.max_rows : settings.max_batch;
  limits.refuse_non_finite = settings.non_finite == "refuse";
  return limits;
}

}  // namespace

struct Core::Parts {
  Parts(Settings given, ExecutorFactory factory)
      : settings(std::move(given)),
        limits(limits_of(settings)),
        log(settings),
        admission(settings.device_rate, settings.device_burst, settings.device_concurrency),
        rights(settings),
        repository(settings, std::move(factory), metrics, log) {}

  void admit(Call& call);
  Clock::time_point deadline_of(Clock::time_point now, std::optional<Clock::time_point> wanted) const;
  Ticket begin(wire::Request request, std::optional<Clock::time_point> deadline, const std::shared_ptr<Call>& call);
  void finish(Call& call, JobResult result);
  void fail(Call& call, Reason reason, Code code, const std::string& message, Nanoseconds queue);
  void write_log(const Call& call, Code code, const char* reason, Nanoseconds total, Nanoseconds queue,
                 Nanoseconds compute);

  const Settings settings;
  const wire::Limits limits;
  Metrics metrics;
  RequestLog log;
  Admission admission;
  Rights rights;
  std::atomic<std::uint64_t> next{1};
  const std::uint32_t run = std::random_device{}();  // tells this process's request ids from another's
  std::atomic<bool> draining{false};
  std::mutex listeners_mutex;
  std::vector<std::function<void()>> listeners;
  std::vector<std::function<std::string()>> more_metrics;
  Repository repository;  // last: its threads use what is above
};

void Ticket::cancel() const {
  if (const auto version = where_.lock()) version->batcher.cancel(id_);
}

void Core::Parts::admit(Call& call) {
  auto key = account_of(call.caller.device, call.caller.address);
  switch (admission.enter(key, call.arrived)) {
    case Admission::Verdict::admitted:
      call.key = std::move(key);
      return;
    case Admission::Verdict::too_fast:
      throw Refused(Reason::device_rate, Code::limited, "too many requests a second from this device");
    case Admission::Verdict::too_many:
      throw Refused(Reason::device_concurrency, Code::limited, "too many unanswered requests of this device");
  }
}

Clock::time_point Core::Parts::deadline_of(Clock::time_point now, std::optional<Clock::time_point> wanted) const {
  const auto furthest = now + std::chrono::milliseconds(settings.max_deadline_ms);
  return wanted ? std::min(*wanted, furthest) : now + std::chrono::milliseconds(settings.deadline_ms);
}

Ticket Core::Parts::begin(wire::Request request, std::optional<Clock::time_point> deadline,
                          const std::shared_ptr<Call>& call) {
  if (draining) throw Refused(Reason::draining, Code::unavailable, "the server is shutting down");
  wire::check_names(request, limits);
  call->id = request.id;
  rights.require_use(call->caller.device, request.model);
  admit(*call);
  const auto version = repository.find(request.model, request.version, pin_of(request));
  call->metrics = version->metrics;
  call->model = version->model;
  call->version = version->version;
  Job job;
  job.rows = wire::check(request, version->signature, limits);
  call->rows = job.rows.count;
  call->bytes = job.rows.data.size() + job.rows.scale.size() + job.rows.zero_point.size();
  call->datatype = job.rows.datatype;
  call->output_name = version->signature.output.name;
  call->output = version->signature.output.shape;
  call->output[0] = job.rows.count;
  job.id = next.fetch_add(1);
  job.arrived = call->arrived;
  job.deadline = deadline_of(call->arrived, deadline);
  if (job.deadline <= Clock::now()) throw Error(Code::deadline, "the deadline has passed");
  job.request = std::move(request);
  job.done = [this, call](JobResult result) { finish(*call, std::move(result)); };
  const Ticket ticket(version, job.id);
  if (!version->batcher.push(job)) {
    throw Refused(Reason::queue_full, Code::unavailable, "the queue is full: try again later");
  }
  return ticket;
}

void Core::Parts::finish(Call& call, JobResult result) {
  if (result.code != Code::ok) return fail(call, reason_of(result.code), result.code, result.message, result.queue);
  const auto begin = Clock::now();
  Outcome outcome;
  auto& response = outcome.response;
  response.model = call.model;
  response.version = call.version;
  response.id = call.id;
  response.parameters.emplace(wire::kVersionId, call.version);
  response.parameters.emplace(wire::kQueueMicros, micros(result.queue));
  response.parameters.emplace(wire::kComputeMicros, micros(result.compute));
  response.outputs.emplace_back(call.output_name, wire::DataType::fp32, call.output, result.output);
  response.keep = std::move(result.keep);
  // Counted before the client can know: who has its answers finds them in the metrics.
  const auto total = begin - call.arrived;
  auto& numbers = *call.metrics;
  numbers.success.add(total);
  numbers.queue.add(result.queue);
  numbers.queue_seconds.add(std::chrono::duration<double>(result.queue).count());
  numbers.request_seconds.add(std::chrono::duration<double>(total).count());
  const auto wall = std::chrono::system_clock::now().time_since_epoch();
  numbers.last_inference_ms =
      static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(wall).count());
  admission.leave(call.key);
  metrics.pending.fetch_sub(1);
  call.done(std::move(outcome));
  numbers.output.add(Clock::now() - begin);
  write_log(call, Code::ok, "", total, result.queue, result.compute);
}

void Core::Parts::fail(Call& call, Reason reason, Code code, const std::string& message, Nanoseconds queue) {
  const auto total = Clock::now() - call.arrived;
  auto& failures = call.metrics ? call.metrics->failures : metrics.failures;
  failures.at(static_cast<std::size_t>(reason)).fetch_add(1);
  if (call.metrics) call.metrics->fail.add(total);
  if (!call.key.empty()) admission.leave(call.key);
  write_log(call, code, name(reason), total, queue, {});
  metrics.pending.fetch_sub(1);
  call.done({.code = code, .message = message, .response = {}});
}

void Core::Parts::write_log(const Call& call, Code code, const char* reason, Nanoseconds total, Nanoseconds queue,
                            Nanoseconds compute) {
  if (!log.wants_requests()) return;
  const auto id = wire::printable(call.id), device = wire::printable(call.caller.device);
  RequestLine line;
  line.request = call.request;
  line.id = id;
  line.device = device;
  line.address = call.caller.address;
  line.protocol = call.caller.protocol;
  line.model = call.model;
  line.version = call.version;
  line.code = wire::name(code);
  line.reason = reason;
  line.datatype = wire::name(call.datatype);
  line.rows = call.rows;
  line.bytes = call.bytes;
  line.queue_us = micros(queue);
  line.compute_us = micros(compute);
  line.total_us = micros(total);
  log.write(line);
}

Core::Core(Settings settings, ExecutorFactory factory) {
  validate(settings);
  parts_ = std::make_unique<Parts>(std::move(settings), std::move(factory));
  parts_->repository.on_look([parts = parts_.get()] {
    try {
      parts->rights.reload();
    } catch (const base::Error& error) {
      parts->log.write(RequestLog::Level::error, "access list not loaded", {{"problem", error.what()}});
    }
  });
}

Core::~Core() {
  drain();
}

const Settings& Core::settings() const {
  return parts_->settings;
}

Ticket Core::infer(wire::Request request, const Caller& caller, std::optional<Clock::time_point> deadline, Done done) {
  auto call = std::make_shared<Call>();
  call->caller = caller;
  call->done = std::move(done);
  call->request = fmt::format("{:08x}-{}", parts_->run, parts_->next.fetch_add(1));
  parts_->metrics.pending.fetch_add(1);
  try {
    return parts_->begin(std::move(request), deadline, call);
  } catch (const Refused& refused) {
    parts_->fail(*call, refused.reason(), refused.code(), refused.what(), {});
  } catch (const Error& error) {
    parts_->fail(*call, reason_of(error.code()), error.code(), error.what(), {});
  } catch (const std::exception&) {
    // Out of memory, most likely. What exactly is not the client's business.
    parts_->fail(*call, Reason::network_failed, Code::internal, "the server failed on this request", {});
  }
  return {};
}

void Core::count_refused(const Caller& caller, wire::Code code, std::string_view message) {
  const auto reason = reason_of(code);
  parts_->metrics.failures.at(static_cast<std::size_t>(reason)).fetch_add(1);
  if (!parts_->log.wants_requests()) return;
  parts_->log.write(RequestLog::Level::info, "request",
                    {{"device", wire::printable(caller.device)},
                     {"address", caller.address},
                     {"protocol", caller.protocol},
                     {"code", wire::name(code)},
                     {"reason", name(reason)},
                     {"problem", wire::printable(message)}});
}

void Core::count_wire_time(std::chrono::nanoseconds time) {
  parts_->metrics.wire_seconds.add(std::chrono::duration<double>(time).count());
}

bool Core::ready() const {
  return !parts_->draining && parts_->repository.complete();
}

bool Core::model_ready(const std::string& model, const std::string& version, const Caller& caller) const {
  parts_->rights.require_use(caller.device, model);
  if (parts_->draining) return false;
  try {
    parts_->repository.find(model, version);
    return true;
  } catch (const Error&) {
    return false;
  }
}

ServerMetadata Core::metadata() const {
  ServerMetadata metadata{"infoscissors", base::version(), {"binary_tensor_data", "statistics"}};
  if (parts_->settings.management) metadata.extensions.emplace_back("model_repository");
  return metadata;
}

ModelMetadata Core::metadata(const std::string& model, const std::string& version, const Caller& caller) const {
  parts_->rights.require_use(caller.device, model);
  const auto found = parts_->repository.find(model, version);
  ModelMetadata metadata;
  metadata.name = found->model;
  metadata.platform = "pytorch_torchscript";
  metadata.version = found->version;
  for (const auto& other : parts_->repository.versions(model)) metadata.versions.push_back(other->version);
  metadata.inputs = {found->signature.input};
  metadata.outputs = {found->signature.output};
  return metadata;
}

std::vector<ModelStatistics> Core::statistics(const std::string& model, const std::string& version,
                                              const Caller& caller) const {
  if (!model.empty()) {
    parts_->rights.require_use(caller.device, model);
    parts_->repository.find(model, version);
  }
  const auto read = [](const Total& total) { return Duration{total.count.load(), total.ns.load()}; };
  std::vector<ModelStatistics> list;
  for (const auto& loaded : parts_->repository.versions(model)) {
    if (!version.empty() && loaded->version != version) continue;
    if (!parts_->rights.may_use(caller.device, loaded->model)) continue;
    const auto& numbers = *loaded->metrics;
    ModelStatistics statistics;
    statistics.name = loaded->model;
    statistics.version = loaded->version;
    statistics.last_inference_ms = numbers.last_inference_ms;
    statistics.rows = numbers.rows;
    statistics.batches = numbers.batches;
    statistics.success = read(numbers.success);
    statistics.fail = read(numbers.fail);
    statistics.queue = read(numbers.queue);
    statistics.input = read(numbers.input);
    statistics.compute = read(numbers.compute);
    statistics.output = read(numbers.output);
    list.push_back(std::move(statistics));
  }
  return list;
}

std::vector<ModelState> Core::index(const Caller& caller) const {
  auto states = parts_->repository.states();
  const auto& rights = parts_->rights;
  const bool administrator = rights.administers(caller.device);
  std::erase_if(states,
                [&](const ModelState& state) { return !administrator && !rights.may_use(caller.device, state.name); });
  // Why a bundle could not be loaded names paths of the server.
  if (!administrator) {
    for (auto& state : states) state.reason.clear();
  }
  return states;
}

void Core::require_administrator(const Caller& caller) const {
  parts_->rights.require_administrator(caller.device);
}

void Core::load(const std::string& model, const Caller& caller) {
  parts_->rights.require_administrator(caller.device);
  parts_->repository.load(model);
}

void Core::unload(const std::string& model, const Caller& caller) {
  parts_->rights.require_administrator(caller.device);
  parts_->repository.unload(model);
}

std::string Core::metrics() const {
  auto text = parts_->metrics.text();
  const auto more = [this] {
    const std::lock_guard lock(parts_->listeners_mutex);
    return parts_->more_metrics;
  }();
  for (const auto& part : more) text += part();
  return text;
}

void Core::add_metrics(std::function<std::string()> text) {
  const std::lock_guard lock(parts_->listeners_mutex);
  parts_->more_metrics.push_back(std::move(text));
}

void Core::on_look(std::function<void()> look) {
  parts_->repository.on_look(std::move(look));
}

void Core::log(std::string_view event, base::Json fields, bool problem) {
  parts_->log.write(problem ? RequestLog::Level::warning : RequestLog::Level::info, event, std::move(fields));
}

std::int64_t Core::message_limit() const {
  return parts_->repository.message_limit();
}

void Core::reload() {
  parts_->repository.reload();
}

void Core::on_change(std::function<void()> listener) {
  {
    const std::lock_guard lock(parts_->listeners_mutex);
    parts_->listeners.push_back(listener);
  }
  parts_->repository.on_change(std::move(listener));
}

void Core::drain() {
  if (parts_->draining.exchange(true)) return;
  parts_->log.write(RequestLog::Level::info, "draining", {{"pending", pending()}});
  const auto listeners = [this] {
    const std::lock_guard lock(parts_->listeners_mutex);
    return parts_->listeners;
  }();
  for (const auto& listener : listeners) listener();
}

std::int64_t Core::pending() const {
  return parts_->metrics.pending;
}

}  // namespace infoscissors::serve
