#pragma once

#include "infoscissors/serve/core.h"

#include "health.grpc.pb.h"

#include <memory>
#include <mutex>
#include <set>

namespace infoscissors::rpc {

/// grpc.health.v1: the whole server ("") and the inference service, both with the core's readiness.
class HealthService final : public grpc::health::v1::Health::CallbackService {
 public:
  explicit HealthService(serve::Core& core) : core_(core) {}

  grpc::ServerUnaryReactor* Check(grpc::CallbackServerContext* context,
                                  const grpc::health::v1::HealthCheckRequest* request,
                                  grpc::health::v1::HealthCheckResponse* response) override;
  grpc::ServerWriteReactor<grpc::health::v1::HealthCheckResponse>* Watch(
      grpc::CallbackServerContext* context, const grpc::health::v1::HealthCheckRequest* request) override;

  /// Tells the watches what has changed.
  void update();
  /// Ends the watches behind what they are about to say.
  void shutdown();

 private:
  class Watcher;
  std::set<std::shared_ptr<Watcher>> watchers();

  serve::Core& core_;
  std::mutex mutex_;
  std::set<std::shared_ptr<Watcher>> watchers_;
  bool over_ = false;
};

}  // namespace infoscissors::rpc
