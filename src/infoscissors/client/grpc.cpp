#include "infoscissors/client/grpc.h"

#include "infoscissors/base/error.h"
#include "infoscissors/client/address.h"

#ifdef INFOSCISSORS_GRPC

#include "infoscissors/client/proto.h"
#include "infoscissors/client/tls.h"
#include "infoscissors/wire/error.h"

#include <grpcpp/grpcpp.h>

#include "open_inference_grpc.grpc.pb.h"

#include <algorithm>

namespace infoscissors::client {
namespace {

using base::UsageError;
using wire::Code;
using wire::Error;

constexpr int kFirstReconnectMs = 50, kLastReconnectMs = 1000;
// Also what a handshake may take.
constexpr int kConnectMs = 5000;
constexpr std::size_t kLongestMessage = 300;  // of what a server says, characters

std::shared_ptr<grpc::ChannelCredentials> credentials(const ConnectOptions& options) {
  if (!options.tls) {
    if (!options.insecure && !is_local(options.server)) {
      throw UsageError("--server {}: what is sent would be readable on the way; give --tls-ca (or --insecure)",
                       options.server);
    }
    return grpc::InsecureChannelCredentials();
  }
  const auto texts = read_tls(*options.tls);
  return grpc::SslCredentials({texts.authority, texts.key, texts.certificate});
}

grpc::ChannelArguments arguments(const ConnectOptions& options) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(static_cast<int>(options.largest_answer));
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kFirstReconnectMs);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kLastReconnectMs);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kConnectMs);
  // Session repeats, with pauses of its own.
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  // A connection of its own: several devices in one process, as in a load test, would share one otherwise.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return arguments;
}

void prepare(grpc::ClientContext& context, Clock::time_point deadline) {
  context.set_deadline(std::chrono::system_clock::now() +
                       std::chrono::duration_cast<std::chrono::system_clock::duration>(deadline - Clock::now()));
}

Error to_error(const grpc::Status& status, const std::stop_token& stop) {
  const auto code = wire::from_grpc_status(status.error_code());
  switch (status.error_code()) {
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return {Code::deadline, "no answer within the deadline"};
    case grpc::StatusCode::CANCELLED:
      if (stop.stop_requested()) return {Code::cancelled, "the call was stopped"};
      return {Code::unavailable, "unavailable: the server gave the call up"};  // it shuts down, or its connection went
    default:
      return {code, "{}: {}", wire::name(code), wire::printable(status.error_message(), kLongestMessage)};
  }
}

class GrpcTransport : public Transport {
 public:
  explicit GrpcTransport(const ConnectOptions& options)
      : server_(options.server),
        channel_(grpc::CreateCustomChannel(options.server, credentials(options), arguments(options))),
        stub_(inference::GRPCInferenceService::NewStub(channel_)) {}

  Reply infer(const wire::Request& request, Clock::time_point deadline, const std::stop_token& stop) override {
    recover(deadline);
    const auto message = to_proto(request);
    const auto answer = std::make_shared<inference::ModelInferResponse>();
    grpc::ClientContext context;
    prepare(context, deadline);
    const std::stop_callback cancel(stop, [&] { context.TryCancel(); });
    const auto status = stub_->ModelInfer(&context, message, answer.get());
    if (!status.ok()) throw to_error(status, stop);
    Reply reply;
    reply.bytes_sent = message.ByteSizeLong();
    reply.bytes_received = answer->ByteSizeLong();
    reply.response = parse(answer);
    return reply;
  }

  ModelMetadata metadata(const std::string& model, Clock::time_point deadline, const std::stop_token& stop) override {
    inference::ModelMetadataRequest request;
    request.set_name(model);
    recover(deadline);
    inference::ModelMetadataResponse response;
    grpc::ClientContext context;
    prepare(context, deadline);
    const std::stop_callback cancel(stop, [&] { context.TryCancel(); });
    const auto status = stub_->ModelMetadata(&context, request, &response);
    if (!status.ok()) throw to_error(status, stop);
    return parse(response);
  }

  std::string destination() const override { return server_; }

 private:
  /// A call on a channel that has failed fails at once, and between calls nobody moves the channel's next connection on
  /// but a timer of five seconds, which is all that a handshake may take: without waiting here, where the wait polls,
  /// the channel would not recover.
  void recover(Clock::time_point deadline) const {
    if (channel_->GetState(/*try_to_connect=*/false) != GRPC_CHANNEL_TRANSIENT_FAILURE) return;
    const auto patience =
        std::min<Clock::duration>(deadline - Clock::now(), std::chrono::milliseconds(kLastReconnectMs));
    channel_->WaitForConnected(std::chrono::system_clock::now() +
                               std::chrono::duration_cast<std::chrono::system_clock::duration>(patience));
  }

  std::string server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<inference::GRPCInferenceService::Stub> stub_;
};

}  // namespace

std::shared_ptr<Transport> connect(const ConnectOptions& options) {
  check_address(options.server);
  return std::make_shared<GrpcTransport>(options);
}

}  // namespace infoscissors::client

#else

namespace infoscissors::client {

std::shared_ptr<Transport> connect(const ConnectOptions& options) {
  check_address(options.server);
  throw base::Error("--server {}: needs the component \"grpc\", which this build lacks", options.server);
}

}  // namespace infoscissors::client

#endif
