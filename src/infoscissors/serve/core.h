#pragma once

#include "infoscissors/serve/model.h"
#include "infoscissors/serve/settings.h"
#include "infoscissors/wire/check.h"
#include "infoscissors/wire/error.h"
#include "infoscissors/wire/tensor.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The server without a protocol: what gRPC and REST hand their requests to. Every method may be called from any
/// thread, and none waits for a network to finish.
namespace infoscissors::serve {

using Clock = std::chrono::steady_clock;

/// Who sent a request, as its front found out.
struct Caller {
  std::string device;         // common name of the client's certificate; empty: not known, only without TLS
  std::string address;        // "10.0.0.7:51234": limits of callers without a name, and logs
  const char* protocol = "";  // "grpc", "rest": a label
};

/// How a request ended. The response is there exactly where the code is ok.
struct Outcome {
  wire::Code code = wire::Code::ok;
  std::string message;  // for the client
  wire::Response response;
};

/// Called exactly once for each request, on whatever thread, possibly before infer() has returned. Must not throw and
/// not block.
using Done = std::function<void(Outcome)>;

class Version;

/// Names a request that is waiting or running.
class Ticket {
 public:
  Ticket() = default;
  Ticket(std::weak_ptr<Version> where, std::uint64_t id) : where_(std::move(where)), id_(id) {}

  /// Takes the request out of its queue: its Done gets `cancelled`. One that runs already, or is over, is left alone.
  void cancel() const;

 private:
  std::weak_ptr<Version> where_;
  std::uint64_t id_ = 0;
};

struct ServerMetadata {
  std::string name, version;
  std::vector<std::string> extensions;
};

struct ModelMetadata {
  std::string name, platform;
  std::vector<std::string> versions;  // the one that requests without a version get comes first
  std::string version;                // the one described
  std::vector<wire::TensorSpec> inputs, outputs;
};

/// Times are nanoseconds in total.
struct Duration {
  std::uint64_t count = 0, ns = 0;
};

struct ModelStatistics {
  std::string name, version;
  std::uint64_t last_inference_ms = 0;  // since the epoch
  std::uint64_t rows = 0, batches = 0;
  Duration success, fail, queue, input, compute, output;
};

struct ModelState {
  std::string name, version, state, reason;  // READY, UNAVAILABLE
};

class Core {
 public:
  /// Loads every bundle. Throws base::Error naming the bundle that cannot be served.
  Core(Settings settings, ExecutorFactory factory);
  /// Refuses what comes and finishes what waits.
  ~Core();
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  const Settings& settings() const;

  /// Everything from access to the network's answer. Without a deadline the default one holds; one that is further
  /// away than the maximum is brought nearer.
  Ticket infer(wire::Request request, const Caller& caller, std::optional<Clock::time_point> deadline, Done done);

  /// For a front's own refusals (a message that is none, a body too large), so that metrics and logs have them too.
  void count_refused(const Caller& caller, wire::Code code, std::string_view message);

  /// For the fronts' own time: reading a request into tensors and writing an answer.
  void count_wire_time(std::chrono::nanoseconds time);

  bool live() const { return true; }
  /// All bundles are loaded and the server is not draining.
  bool ready() const;
  /// Throws wire::Error (permission_denied) where the caller may not use the model; an unknown one is not ready.
  bool model_ready(const std::string& model, const std::string& version, const Caller& caller) const;
  ServerMetadata metadata() const;
  /// These throw wire::Error: not_found, permission_denied, unauthenticated.
  ModelMetadata metadata(const std::string& model, const std::string& version, const Caller& caller) const;
  std::vector<ModelStatistics> statistics(const std::string& model, const std::string& version,
                                          const Caller& caller) const;
  std::vector<ModelState> index(const Caller& caller) const;

  /// Throws wire::Error: unsupported where management is off, unauthenticated, permission_denied.
  void require_administrator(const Caller& caller) const;
  /// For administrators, see above. Loading waits for the new network.
  void load(const std::string& model, const Caller& caller);
  void unload(const std::string& model, const Caller& caller);

  /// The metrics in Prometheus' text format.
  std::string metrics() const;

  /// The longest message worth reading: at most four times the largest input of the models loaded at the start.
  std::int64_t message_limit() const;

  /// Looks at bundles and access list again now, as on SIGHUP. Returns when it is done; problems are logged and leave
  /// what is served as it was.
  void reload();

  /// Called after readiness or the set of models may have changed, on any thread; must not block. For health watches.
  void on_change(std::function<void()> listener);

  /// Called whenever the server looks at its files again (every reload_seconds and on reload()), for what else must
  /// follow files: certificates, revocation lists.
  void on_look(std::function<void()> look);
  /// More lines for metrics(), in Prometheus' format, for what a front counts itself. The function must stay callable
  /// as long as this object.
  void add_metrics(std::function<std::string()> text);
  /// One line in the server's log; `problem` makes it a warning.
  void log(std::string_view event, base::Json fields, bool problem = false);

  /// From now on every new request is refused as unavailable and readiness is off.
  void drain();
  /// Requests accepted and not yet answered.
  std::int64_t pending() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace infoscissors::serve
