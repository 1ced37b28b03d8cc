#include "infoscissors/rpc/server.h"

#include "infoscissors/base/error.h"
#include "tests/rpc/support.h"
#include "tests/support/expect_error.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmath>

#include <thread>

namespace infoscissors::rpc {
namespace {

using grpc::StatusCode;
using ::testing::HasSubstr;
using tests::metric;

TEST_F(RpcTest, InfersRawAndTyped) {
  start();
  const auto raw = ask(message_of(2, 3));
  ASSERT_TRUE(raw.status.ok()) << raw.status.error_message();
  EXPECT_EQ(raw.response.model_name(), "net");
  EXPECT_EQ(raw.response.model_version(), version_);
  EXPECT_EQ(raw.response.parameters().at("version_id").string_param(), version_);
  EXPECT_GE(raw.response.parameters().at("queue_us").int64_param(), 0);
  EXPECT_GE(raw.response.parameters().at("compute_us").int64_param(), 0);
  EXPECT_EQ(raw.response.outputs(0).name(), "feature");
  const auto values = tests::floats_of(raw.response.raw_output_contents(0));
  EXPECT_EQ(values.at(0), 6);
  EXPECT_EQ(values.at(16), 8);
  const auto typed = ask(typed_message_of(2, 3));
  ASSERT_TRUE(typed.status.ok()) << typed.status.error_message();
  EXPECT_EQ(typed.response.raw_output_contents_size(), 0);
  EXPECT_EQ(typed.response.outputs(0).contents().fp32_contents(16), 8);
  EXPECT_THAT(core_->metrics(), HasSubstr("infoscissors_wire_seconds_count 2"));
}

TEST_F(RpcTest, EveryFailureHasItsCodeAndTheServerGoesOn) {
  settings_.max_rows = 2;
  start();
  EXPECT_EQ(code(message_of(1, 1, "other")), StatusCode::NOT_FOUND);
  auto message = message_of(1, 1);
  message.set_model_version("9");
  EXPECT_EQ(code(message), StatusCode::NOT_FOUND);
  EXPECT_EQ(code(message_of(3, 1)), StatusCode::INVALID_ARGUMENT);
  message = message_of(1, 1);
  message.mutable_inputs(0)->set_shape(0, -1);
  EXPECT_EQ(code(message), StatusCode::INVALID_ARGUMENT);
  message = message_of(1, NAN);
  EXPECT_EQ(code(message), StatusCode::INVALID_ARGUMENT);
  message = message_of(1, 1);
  message.set_model_name(std::string("n\0t", 3));
  EXPECT_EQ(code(message), StatusCode::INVALID_ARGUMENT);
  message.set_model_name("../net");
  EXPECT_EQ(code(message), StatusCode::NOT_FOUND);
  message = message_of(1, 1);
  message.mutable_raw_input_contents(0)->append(std::string(100'000, 'x'));
  EXPECT_EQ(code(message), StatusCode::RESOURCE_EXHAUSTED) << "larger than four inputs";
  EXPECT_EQ(code(message_of(1, tests::kPoison)), StatusCode::INTERNAL);
  const auto method = "/inference.GRPCInferenceService/ModelInfer";
  EXPECT_EQ(raw_call(channel_, method, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff").first.error_code(),
            StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(raw_call(channel_, method, "").first.error_code(), StatusCode::NOT_FOUND);
  EXPECT_EQ(raw_call(channel_, "/inference.GRPCInferenceService/Nothing", "").first.error_code(),
            StatusCode::UNIMPLEMENTED);
  EXPECT_TRUE(ask(message_of(1, 1)).status.ok());
  EXPECT_THAT(core_->metrics(), HasSubstr("infoscissors_failures_total{reason=\"bad_request\"} 2"));
}

TEST_F(RpcTest, CompressedMessagesAreRefused) {
  start();
  grpc::ClientContext context;
  patience(context);
  context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
  inference::ModelInferResponse response;
  // A message of zeros shrinks a thousandfold; what it would become is never built.
  EXPECT_EQ(stub_->ModelInfer(&context, message_of(64, 0), &response).error_code(), StatusCode::UNIMPLEMENTED);
  EXPECT_TRUE(ask(message_of(1, 1)).status.ok());
}

TEST_F(RpcTest, LargeHeadersAreRefused) {
  start();
  grpc::ClientContext context;
  patience(context);
  context.AddMetadata("flood", std::string(64 * 1024, 'x'));
  inference::ModelInferResponse response;
  EXPECT_EQ(stub_->ModelInfer(&context, message_of(1, 1), &response).error_code(), StatusCode::RESOURCE_EXHAUSTED);
  // gRPC may give the connection up together with the headers; the next one is served.
  bool served = false;
  for (int i = 0; i < 100 && !served; ++i) {
    served = ask(message_of(1, 1)).status.ok();
    if (!served) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  EXPECT_TRUE(served);
}

TEST_F(RpcTest, DescribesItself) {
  start();
  const auto call = [this](auto method, auto request, auto& response) {
    grpc::ClientContext context;
    patience(context);
    return ((*stub_).*method)(&context, request, &response);
  };
  inference::ServerLiveResponse live;
  EXPECT_TRUE(call(&Stub::ServerLive, inference::ServerLiveRequest(), live).ok());
  EXPECT_TRUE(live.live());
  inference::ServerReadyResponse ready;
  EXPECT_TRUE(call(&Stub::ServerReady, inference::ServerReadyRequest(), ready).ok());
  EXPECT_TRUE(ready.ready());
  inference::ModelReadyRequest model;
  model.set_name("net");
  inference::ModelReadyResponse model_ready;
  EXPECT_TRUE(call(&Stub::ModelReady, model, model_ready).ok());
  EXPECT_TRUE(model_ready.ready());
  model.set_name("other");
  EXPECT_TRUE(call(&Stub::ModelReady, model, model_ready).ok());
  EXPECT_FALSE(model_ready.ready());
  inference::ServerMetadataResponse server;
  EXPECT_TRUE(call(&Stub::ServerMetadata, inference::ServerMetadataRequest(), server).ok());
  EXPECT_EQ(server.name(), "infoscissors");
  inference::ModelMetadataRequest wanted;
  wanted.set_name("net");
  inference::ModelMetadataResponse metadata;
  EXPECT_TRUE(call(&Stub::ModelMetadata, wanted, metadata).ok());
  EXPECT_EQ(metadata.versions(0), version_);
  EXPECT_EQ(metadata.inputs(0).name(), "representation");
  EXPECT_EQ(metadata.inputs(0).shape(0), -1);
  EXPECT_EQ(metadata.outputs(0).datatype(), "FP32");
  wanted.set_name("other");
  EXPECT_EQ(call(&Stub::ModelMetadata, wanted, metadata).error_code(), StatusCode::NOT_FOUND);
  ask(message_of(3, 1));
  inference::ModelStatisticsResponse statistics;
  EXPECT_TRUE(call(&Stub::ModelStatistics, inference::ModelStatisticsRequest(), statistics).ok());
  EXPECT_EQ(statistics.model_stats(0).inference_count(), 3U);
  EXPECT_EQ(statistics.model_stats(0).inference_stats().success().count(), 1U);
  inference::RepositoryIndexResponse index;
  EXPECT_TRUE(call(&Stub::RepositoryIndex, inference::RepositoryIndexRequest(), index).ok());
  EXPECT_EQ(index.models(0).state(), "READY");
  inference::RepositoryModelLoadRequest load;
  load.set_model_name("net");
  inference::RepositoryModelLoadResponse loaded;
  EXPECT_EQ(call(&Stub::RepositoryModelLoad, load, loaded).error_code(), StatusCode::UNIMPLEMENTED) << "off by default";
  inference::RepositoryModelUnloadRequest unload;
  unload.set_model_name("net");
  inference::RepositoryModelUnloadResponse unloaded;
  EXPECT_EQ(call(&Stub::RepositoryModelUnload, unload, unloaded).error_code(), StatusCode::UNIMPLEMENTED);
}

TEST_F(RpcTest, ReflectionNamesTheServices) {
  start();
  // ServerReflectionRequest{list_services: ""}
  const auto [status, text] =
      raw_call(channel_, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", std::string("\x3a\x00", 2));
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_THAT(text, HasSubstr("inference.GRPCInferenceService"));
  EXPECT_THAT(text, HasSubstr("grpc.health.v1.Health"));
}

TEST_F(RpcTest, HealthFollowsTheDrain) {
  start();
  const auto health = grpc::health::v1::Health::NewStub(channel_);
  using Response = grpc::health::v1::HealthCheckResponse;
  const auto check = [&](const std::string& service, Response& response) {
    grpc::ClientContext context;
    patience(context);
    grpc::health::v1::HealthCheckRequest request;
    request.set_service(service);
    return health->Check(&context, request, &response);
  };
  Response response;
  EXPECT_TRUE(check("", response).ok());
  EXPECT_EQ(response.status(), Response::SERVING);
  EXPECT_TRUE(check("inference.GRPCInferenceService", response).ok());
  EXPECT_EQ(check("other", response).error_code(), StatusCode::NOT_FOUND);
  grpc::ClientContext one, two;
  patience(one);
  patience(two);
  auto watch = health->Watch(&one, {});
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), Response::SERVING);
  grpc::health::v1::HealthCheckRequest unknown;
  unknown.set_service("other");
  auto other = health->Watch(&two, unknown);
  ASSERT_TRUE(other->Read(&response));
  EXPECT_EQ(response.status(), Response::SERVICE_UNKNOWN);
  core_->drain();
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), Response::NOT_SERVING);
  EXPECT_TRUE(check("", response).ok());
  EXPECT_EQ(response.status(), Response::NOT_SERVING);
  EXPECT_EQ(code(message_of(1, 1)), StatusCode::UNAVAILABLE);
  server_->shutdown(std::chrono::seconds(20));
  EXPECT_FALSE(watch->Read(&response));
  EXPECT_EQ(watch->Finish().error_code(), StatusCode::UNAVAILABLE);
  EXPECT_FALSE(other->Read(&response));
  EXPECT_EQ(other->Finish().error_code(), StatusCode::UNAVAILABLE);
}

TEST_F(RpcTest, DrainFinishesWhatIsUnderWay) {
  start();
  control_->close();
  auto running = std::async(std::launch::async, [this] { return ask(message_of(1, 4)); });
  control_->wait_until_running();
  core_->drain();
  std::thread shutdown([this] { server_->shutdown(std::chrono::seconds(20)); });
  control_->release();
  const auto answer = running.get();
  shutdown.join();
  ASSERT_TRUE(answer.status.ok()) << answer.status.error_message();
  EXPECT_EQ(answer.first(), 8);
  EXPECT_EQ(code(message_of(1, 1)), StatusCode::UNAVAILABLE);
}

TEST_F(RpcTest, ShutdownWithoutPatienceCancelsWhatWaits) {
  settings_.max_batch = 1;
  start();
  control_->close();
  auto running = std::async(std::launch::async, [this] { return ask(message_of(1, 4)); });
  control_->wait_until_running();
  auto waiting = std::async(std::launch::async, [this] { return ask(message_of(1, 4)); });
  while (core_->pending() < 2) std::this_thread::yield();
  std::thread shutdown([this] { server_->shutdown(std::chrono::milliseconds(0)); });
  EXPECT_FALSE(waiting.get().status.ok());
  EXPECT_FALSE(running.get().status.ok());
  control_->release();
  shutdown.join();
}

TEST_F(RpcTest, CancelledCallsLeaveTheQueue) {
  settings_.max_batch = 1;
  start();
  control_->close();
  auto running = std::async(std::launch::async, [this] { return ask(message_of(1, 4)); });
  control_->wait_until_running();
  grpc::ClientContext context;
  patience(context);
  inference::ModelInferResponse response;
  auto waiting = std::async(std::launch::async,
                            [&] { return stub_->ModelInfer(&context, message_of(1, 5), &response).error_code(); });
  while (core_->pending() < 2) std::this_thread::yield();
  context.TryCancel();
  EXPECT_EQ(waiting.get(), StatusCode::CANCELLED);
  while (metric(*core_, failures("cancelled")) < 1) std::this_thread::yield();
  control_->release();
  EXPECT_TRUE(running.get().status.ok());
  EXPECT_THAT(control_->seen(), ::testing::ElementsAre(1)) << "the cancelled one never ran";
}

TEST_F(RpcTest, ClientsDeadlineHoldsInTheQueue) {
  settings_.max_batch = 1;
  start();
  control_->close();
  auto running = std::async(std::launch::async, [this] { return ask(message_of(1, 4)); });
  control_->wait_until_running();
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(50));
  inference::ModelInferResponse response;
  EXPECT_EQ(stub_->ModelInfer(&context, message_of(1, 5), &response).error_code(), StatusCode::DEADLINE_EXCEEDED);
  while (core_->pending() > 1) std::this_thread::yield();  // the server gave it up too
  control_->release();
  EXPECT_TRUE(running.get().status.ok());
}

TEST_F(RpcTest, StreamAnswersInOrderAndSurvivesErrors) {
  start();
  grpc::ClientContext context;
  patience(context);
  auto stream = stub_->ModelStreamInfer(&context);
  inference::ModelStreamInferResponse response;
  for (int i = 1; i < 6; ++i) {
    auto message = message_of(1, static_cast<float>(i), i == 3 ? "other" : "net");
    message.set_id(std::to_string(i));
    if (i == 4) message.mutable_inputs(0)->add_shape(1);
    ASSERT_TRUE(stream->Write(message));
  }
  for (int i = 1; i < 6; ++i) {
    ASSERT_TRUE(stream->Read(&response));
    EXPECT_EQ(response.infer_response().id(), std::to_string(i));
    if (i == 3) {
      EXPECT_THAT(response.error_message(), HasSubstr("no model"));
    } else if (i == 4) {
      EXPECT_THAT(response.error_message(), HasSubstr("shape"));
    } else {
      EXPECT_EQ(response.error_message(), "");
      EXPECT_EQ(tests::floats_of(response.infer_response().raw_output_contents(0)).at(0), 2 * i);
    }
  }
  stream->WritesDone();
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(RpcTest, DrainEndsStreamsBehindTheirAnswer) {
  start();
  grpc::ClientContext one, two;
  patience(one);
  patience(two);
  auto idle = stub_->ModelStreamInfer(&one);
  auto busy = stub_->ModelStreamInfer(&two);
  inference::ModelStreamInferResponse response;
  ASSERT_TRUE(idle->Write(message_of(1, 1)));
  ASSERT_TRUE(idle->Read(&response));
  control_->close();
  ASSERT_TRUE(busy->Write(message_of(1, 4)));
  control_->wait_until_running();
  std::thread shutdown([this] { server_->shutdown(std::chrono::seconds(20)); });
  EXPECT_FALSE(idle->Read(&response));
  EXPECT_EQ(idle->Finish().error_code(), StatusCode::UNAVAILABLE);
  control_->release();
  EXPECT_TRUE(busy->Read(&response));
  EXPECT_EQ(tests::floats_of(response.infer_response().raw_output_contents(0)).at(0), 8);
  EXPECT_FALSE(busy->Read(&response));
  EXPECT_EQ(busy->Finish().error_code(), StatusCode::UNAVAILABLE);
  shutdown.join();
}

TEST_F(RpcTest, CancelledStreamsLeaveTheQueue) {
  settings_.max_batch = 1;
  start();
  control_->close();
  auto running = std::async(std::launch::async, [this] { return ask(message_of(1, 4)); });
  control_->wait_until_running();
  {
    grpc::ClientContext context;
    auto stream = stub_->ModelStreamInfer(&context);
    ASSERT_TRUE(stream->Write(message_of(1, 5)));
    while (core_->pending() < 2) std::this_thread::yield();
    context.TryCancel();
    EXPECT_EQ(stream->Finish().error_code(), StatusCode::CANCELLED);
  }
  while (metric(*core_, failures("cancelled")) < 1) std::this_thread::yield();
  control_->release();
  EXPECT_TRUE(running.get().status.ok());
}

TEST_F(RpcTest, ManyClientsEachGetTheirRows) {
  start();
  std::vector<std::thread> clients;
  std::atomic<int> right{0};
  for (int c = 0; c < 4; ++c) {
    clients.emplace_back([&, c] {
      const auto stub = inference::GRPCInferenceService::NewStub(connect(grpc::InsecureChannelCredentials()));
      for (int i = 0; i < 100; ++i) {
        const auto mark = static_cast<float>(1000 * c + i);
        const auto answer = infer(*stub, message_of(1 + i % 3, mark));
        right += mark == tests::kPoison || (answer.status.ok() && answer.first() == 2 * mark);
      }
    });
  }
  for (auto& client : clients) client.join();
  EXPECT_EQ(right, 400);
}

/// A bare TCP connection to an address of loopback.
class Socket {
 public:
  explicit Socket(const std::string& address) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(serve::parse_address(address, "test").port);
    inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    descriptor_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(::connect(descriptor_, reinterpret_cast<sockaddr*>(&to), sizeof(to)), 0);
  }
  ~Socket() { ::close(descriptor_); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  /// Whether the other end hangs up within the time, as opposed to talking or waiting.
  bool closed_within(int milliseconds) const {
    pollfd watched{descriptor_, POLLIN, 0};
    if (::poll(&watched, 1, milliseconds) != 1) return false;
    char byte = 0;
    return ::recv(descriptor_, &byte, 1, 0) <= 0;
  }

 private:
  int descriptor_ = -1;
};

TEST_F(RpcTest, ConnectionsAboveTheCapAreClosedAtOnce) {
  settings_.max_connections = 3;
  start();
  EXPECT_TRUE(ask(message_of(1, 1)).status.ok());  // one
  auto two = std::make_unique<Socket>(server_->address());
  const Socket three(server_->address());
  const Socket four(server_->address());
  EXPECT_TRUE(four.closed_within(20000));
  EXPECT_EQ(server_->connections(), 3U);
  EXPECT_THAT(core_->metrics(), HasSubstr("infoscissors_grpc_refused_connections_total 1"));
  EXPECT_TRUE(ask(message_of(1, 1)).status.ok()) << "those that are in go on";
  two.reset();
  while (server_->connections() > 2) std::this_thread::yield();
  const auto channel = connect(grpc::InsecureChannelCredentials());
  const auto stub = inference::GRPCInferenceService::NewStub(channel);
  EXPECT_TRUE(infer(*stub, message_of(1, 1)).status.ok()) << "and a place that is free is given again";
}

TEST_F(RpcTest, OneAddressCannotTakeEveryPlace) {
  settings_.max_connections_per_address = 1;
  start();
  const Socket one(server_->address());
  const Socket two(server_->address());
  EXPECT_TRUE(two.closed_within(20000));
  EXPECT_FALSE(one.closed_within(0));
}

TEST_F(RpcTest, SilentConnectionsAreClosed) {
  settings_.handshake_seconds = 1;
  start();
  const Socket silent(server_->address());
  // gRPC's server may send its settings first; then it hangs up.
  bool closed = false;
  for (int i = 0; i < 200 && !closed; ++i) closed = silent.closed_within(100);
  EXPECT_TRUE(closed);
  EXPECT_TRUE(ask(message_of(1, 1)).status.ok());
}

TEST_F(RpcTest, AddressInUse) {
  start();
  auto settings = settings_;
  settings.grpc = server_->address();
  settings.log = (directory_ / "other-log").string();
  serve::Core other(settings, tests::fake_networks(control_));
  EXPECT_THAT(tests::message_of([&] { Server second(other); }), HasSubstr("in use"));
}

}  // namespace
}  // namespace infoscissors::rpc
