#include "infoscissors/rpc/health.h"

namespace infoscissors::rpc {
namespace {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

bool known(const std::string& service) {
  return service.empty() || service == "inference.GRPCInferenceService";
}

}  // namespace

/// One Watch. What is to be said is decided under the lock and said outside it, for gRPC may call back on the same
/// thread.
class HealthService::Watcher : public grpc::ServerWriteReactor<HealthCheckResponse> {
 public:
  Watcher(HealthService& service, bool is_known) : service_(service), known_(is_known) {}

  void begin(std::shared_ptr<Watcher> self) {
    self_ = std::move(self);
    update();
  }

  void update() {
    {
      const std::lock_guard lock(mutex_);
      if (writing_ || finished_) return;
      const auto now = status();
      if (now == said_) return;
      said_ = now;
      writing_ = true;
      response_.set_status(now);
    }
    StartWrite(&response_);
  }

  void end() {
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
      if (writing_ || finished_) return;
      finished_ = true;
    }
    Finish({grpc::StatusCode::UNAVAILABLE, "the server is shutting down"});
  }

  void OnWriteDone(bool ok) override {
    bool over = false;
    {
      const std::lock_guard lock(mutex_);
      writing_ = false;
      over = over_ || !ok;
    }
    if (over) return end();
    update();  // it may have changed meanwhile
  }

  void OnCancel() override { end(); }

  void OnDone() override {
    {
      const std::lock_guard lock(service_.mutex_);
      service_.watchers_.erase(self_);
    }
    self_.reset();
  }

 private:
  HealthCheckResponse::ServingStatus status() const {
    if (!known_) return HealthCheckResponse::SERVICE_UNKNOWN;
    return service_.core_.ready() ? HealthCheckResponse::SERVING : HealthCheckResponse::NOT_SERVING;
  }

  HealthService& service_;
  const bool known_;
  std::shared_ptr<Watcher> self_;
  std::mutex mutex_;
  HealthCheckResponse response_;
  HealthCheckResponse::ServingStatus said_ = HealthCheckResponse::UNKNOWN;
  bool writing_ = false, over_ = false, finished_ = false;
};

grpc::ServerUnaryReactor* HealthService::Check(grpc::CallbackServerContext* context, const HealthCheckRequest* request,
                                               HealthCheckResponse* response) {
  auto* reactor = context->DefaultReactor();
  if (!known(request->service())) {
    reactor->Finish({grpc::StatusCode::NOT_FOUND, "there is no such service here"});
    return reactor;
  }
  response->set_status(core_.ready() ? HealthCheckResponse::SERVING : HealthCheckResponse::NOT_SERVING);
  reactor->Finish(grpc::Status::OK);
  return reactor;
}

grpc::ServerWriteReactor<HealthCheckResponse>* HealthService::Watch(grpc::CallbackServerContext*,
                                                                    const HealthCheckRequest* request) {
  auto watcher = std::make_shared<Watcher>(*this, known(request->service()));
  bool over = false;
  {
    const std::lock_guard lock(mutex_);
    over = over_;
    watchers_.insert(watcher);
  }
  auto* reactor = watcher.get();
  reactor->begin(watcher);
  if (over) reactor->end();
  return reactor;
}

std::set<std::shared_ptr<HealthService::Watcher>> HealthService::watchers() {
  const std::lock_guard lock(mutex_);
  return watchers_;
}

void HealthService::update() {
  for (const auto& watcher : watchers()) watcher->update();
}

void HealthService::shutdown() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  for (const auto& watcher : watchers()) watcher->end();
}

}  // namespace infoscissors::rpc
