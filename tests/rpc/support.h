#pragma once

#include "infoscissors/rpc/server.h"
#include "tests/serve/support.h"
#include "tests/support/temporary_directory.h"

#include "health.grpc.pb.h"
#include "open_inference_grpc.grpc.pb.h"

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

namespace infoscissors::rpc {

using Stub = inference::GRPCInferenceService::Stub;

/// rows rows of value, value + 1, ..., raw.
inline inference::ModelInferRequest message_of(std::int64_t rows, float value, const std::string& model = "net") {
  inference::ModelInferRequest message;
  message.set_model_name(model);
  auto& input = *message.add_inputs();
  input.set_name("representation");
  input.set_datatype("FP32");
  for (const std::int64_t size : {rows, std::int64_t{4}, std::int64_t{8}, std::int64_t{8}}) input.add_shape(size);
  const auto request = tests::request_of(rows, value);
  message.add_raw_input_contents(std::string(request.inputs[0].data));
  return message;
}

/// The same with typed contents.
inline inference::ModelInferRequest typed_message_of(std::int64_t rows, float value) {
  auto message = message_of(rows, value);
  for (const float element : tests::floats_of(message.raw_input_contents(0))) {
    message.mutable_inputs(0)->mutable_contents()->add_fp32_contents(element);
  }
  message.clear_raw_input_contents();
  return message;
}

inline void patience(grpc::ClientContext& context) {
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
}

struct Answer {
  grpc::Status status;
  inference::ModelInferResponse response;
  float first() const { return tests::floats_of(response.raw_output_contents(0)).at(0); }
};

inline Answer infer(Stub& stub, const inference::ModelInferRequest& message) {
  grpc::ClientContext context;
  patience(context);
  Answer answer;
  answer.status = stub.ModelInfer(&context, message, &answer.response);
  return answer;
}

/// Sends bytes to a method, whatever they are.
inline std::pair<grpc::Status, std::string> raw_call(const std::shared_ptr<grpc::Channel>& channel,
                                                     const std::string& method, const std::string& bytes) {
  grpc::GenericStub stub(channel);
  grpc::ClientContext context;
  patience(context);
  const grpc::Slice slice(bytes);
  grpc::ByteBuffer request(&slice, 1), response;
  std::promise<grpc::Status> over;
  stub.UnaryCall(&context, method, {}, &request, &response, [&over](grpc::Status status) { over.set_value(status); });
  const auto status = over.get_future().get();
  grpc::Slice answer;
  std::string text;
  if (status.ok() && response.DumpToSingleSlice(&answer).ok()) {
    text.assign(reinterpret_cast<const char*>(answer.begin()), answer.size());
  }
  return {status, text};
}

/// A core with a fake network, served on a free port of loopback.
class RpcTest : public ::testing::Test {
 protected:
  RpcTest() : settings_(tests::quiet_settings(directory_.path())) {
    version_ = tests::write_network(directory_ / "bundle", "2");
    settings_.device_rate = 0;
  }
  ~RpcTest() override { control_->release(); }

  void start() {
    core_ = std::make_unique<serve::Core>(settings_, tests::fake_networks(control_));
    server_ = std::make_unique<Server>(*core_);
    if (!settings_.tls()) {
      channel_ = connect(grpc::InsecureChannelCredentials());
      stub_ = inference::GRPCInferenceService::NewStub(channel_);
    }
  }

  /// A channel of its own: gRPC shares connections between channels that look alike.
  std::shared_ptr<grpc::Channel> connect(const std::shared_ptr<grpc::ChannelCredentials>& credentials) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 50);
    arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 10000);  // for a handshake, on a busy machine
    arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 100);
    arguments.SetInt("grpc.enable_http_proxy", 0);
    return grpc::CreateCustomChannel(server_->address(), credentials, arguments);
  }

  Answer ask(const inference::ModelInferRequest& message) { return infer(*stub_, message); }
  grpc::StatusCode code(const inference::ModelInferRequest& message) { return ask(message).status.error_code(); }
  std::string failures(const std::string& reason) const {
    return "infoscissors_failures_total{model=\"net\",version=\"" + version_ + "\",reason=\"" + reason + "\"}";
  }

  tests::TemporaryDirectory directory_;
  serve::Settings settings_;
  std::string version_;
  std::shared_ptr<tests::NetworkControl> control_ = std::make_shared<tests::NetworkControl>();
  std::unique_ptr<serve::Core> core_;
  std::unique_ptr<Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<Stub> stub_;
};

}  // namespace infoscissors::rpc
