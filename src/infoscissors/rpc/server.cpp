#include "infoscissors/rpc/server.h"

#include "infoscissors/base/error.h"
#include "infoscissors/rpc/accept.h"
#include "infoscissors/rpc/credentials.h"
#include "infoscissors/rpc/health.h"
#include "infoscissors/rpc/service.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>

#include <fmt/format.h>

#include <atomic>

namespace infoscissors::rpc {
namespace {

constexpr int kMaxStreams = 128;          // calls at once on one connection
constexpr int kMaxMetadata = 8 * 1024;    // bytes of headers
constexpr int kMaxReflectionThreads = 8;  // reflection is synchronous: a thread for each of its streams

int as_ms(std::int64_t seconds) {
  return static_cast<int>(seconds * 1000);
}

void set_limits(grpc::ServerBuilder& builder, const serve::Core& core) {
  const auto& settings = core.settings();
  builder.SetMaxReceiveMessageSize(static_cast<int>(core.message_limit()));
  // A compressed message may be a bomb: gRPC 1.51 checks its size before it is unpacked, not after.
  for (const auto algorithm : {GRPC_COMPRESS_DEFLATE, GRPC_COMPRESS_GZIP}) {
    builder.SetCompressionAlgorithmSupportStatus(algorithm, false);
  }
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxStreams);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kMaxMetadata);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, as_ms(settings.handshake_seconds));
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, as_ms(settings.idle_seconds));
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS, as_ms(settings.connection_age_seconds));
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, static_cast<int>(settings.max_deadline_ms));
  // A device that vanished without a word does not keep its place.
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, as_ms(60));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, as_ms(20));
  grpc::ResourceQuota quota("infoscissors");
  quota.SetMaxThreads(kMaxReflectionThreads);
  builder.SetResourceQuota(quota);
}

std::string connection_metrics(Accept& accept) {
  return fmt::format(
      "# HELP infoscissors_grpc_connections Open connections.\n"
      "# TYPE infoscissors_grpc_connections gauge\ninfoscissors_grpc_connections {}\n"
      "# HELP infoscissors_grpc_refused_connections_total Connections above a limit, closed at once.\n"
      "# TYPE infoscissors_grpc_refused_connections_total counter\ninfoscissors_grpc_refused_connections_total {}\n",
      accept.connections(), accept.refused());
}

}  // namespace

struct Server::Parts {
  explicit Parts(serve::Core& owner)
      : core(owner),
        reporter(std::make_shared<Reporter>(owner)),
        inference(owner),
        health(owner),
        accept(serve::parse_address(owner.settings().grpc, "grpc"),
               {.connections = static_cast<std::size_t>(owner.settings().max_connections),
                .per_address = static_cast<std::size_t>(owner.settings().max_connections_per_address)}) {}

  serve::Core& core;
  const std::shared_ptr<Reporter> reporter;
  InferenceService inference;
  HealthService health;
  Accept accept;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> connections;
  std::unique_ptr<grpc::Server> server;
};

Server::Server(serve::Core& core) {
  if (core.settings().reflection) grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  parts_ = std::make_shared<Parts>(core);
  auto& parts = *parts_;
  grpc::ServerBuilder builder;
  set_limits(builder, core);
  builder.RegisterService(&parts.inference);
  builder.RegisterService(&parts.health);
  parts.connections = builder.experimental().AddExternalConnectionAcceptor(
      grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD, credentials_of(core, parts.reporter));
  parts.server = builder.BuildAndStart();
  if (!parts.server) throw base::Error("gRPC could not start its server");
  // The core may outlive this server, and its listeners with it.
  const std::weak_ptr<Parts> weak = parts_;
  core.on_change([weak] {
    if (const auto alive = weak.lock()) alive->health.update();
  });
  core.add_metrics([weak] {
    const auto alive = weak.lock();
    return alive ? connection_metrics(alive->accept) : std::string();
  });
  parts.accept.start([&parts](int descriptor) {
    grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters connection;
    connection.fd = descriptor;
    parts.connections->HandleNewConnection(&connection);
  });
}

Server::~Server() {
  shutdown(std::chrono::milliseconds(0));
}

std::string Server::address() const {
  return parts_->accept.address();
}

std::size_t Server::connections() const {
  return parts_->accept.connections();
}

void Server::shutdown(std::chrono::milliseconds patience) {
  auto& parts = *parts_;
  if (!parts.server) return;
  parts.accept.stop();
  parts.inference.drain();
  parts.health.update();
  parts.health.shutdown();
  parts.server->Shutdown(std::chrono::system_clock::now() + patience);
  parts.server->Wait();
  parts.server.reset();
  parts.reporter->close();
}

}  // namespace infoscissors::rpc
