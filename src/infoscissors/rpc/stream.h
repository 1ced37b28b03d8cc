#pragma once

#include "infoscissors/serve/core.h"

#include <grpcpp/grpcpp.h>

#include <memory>
#include <mutex>
#include <set>

namespace infoscissors::rpc {

/// The open ModelStreamInfer calls, so that a drain can end those that only wait.
class Streams {
 public:
  explicit Streams(serve::Core& core) : core_(core) {}

  using Reactor = grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>;
  Reactor* open(grpc::CallbackServerContext* context);
  /// Ends every stream, now or behind the answer it is about to give.
  void drain();

 private:
  class Stream;
  serve::Core& core_;
  std::mutex mutex_;
  std::set<std::shared_ptr<Stream>> open_;
  bool draining_ = false;
};

}  // namespace infoscissors::rpc
