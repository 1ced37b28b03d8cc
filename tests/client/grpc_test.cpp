// Built where the component "grpc" is.
#if __has_include("open_inference_grpc.pb.h")

#include "infoscissors/client/grpc.h"

#include "infoscissors/base/file.h"
#include "infoscissors/client/session.h"
#include "infoscissors/pki/pki.h"

#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <future>
#include <mutex>
#include <set>
#include <thread>

#include "open_inference_grpc.grpc.pb.h"

namespace infoscissors::client {
namespace {

using inference::ModelInferRequest;
using inference::ModelInferResponse;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using wire::Code;
using namespace std::chrono_literals;

const wire::Signature kSignature{{"representation", wire::DataType::fp32, {-1, 2}},
                                 {"feature", wire::DataType::fp32, {-1, 3}}};

std::vector<wire::Tensor> one_row() {
  std::vector<wire::Tensor> inputs;
  inputs.emplace_back("representation", wire::DataType::fp32, wire::Shape{1, 2}, std::string_view());
  inputs[0].own(std::vector<char>(8, '\1'));
  return inputs;
}

void answer_honestly(const ModelInferRequest& request, ModelInferResponse& response) {
  response.set_id(request.id());
  *response.mutable_parameters() = request.parameters();
  auto& output = *response.add_outputs();
  output.set_name("feature");
  output.set_datatype("FP32");
  output.add_shape(1);
  output.add_shape(3);
  const float values[] = {1, 2, 3};
  response.add_raw_output_contents(values, sizeof values);
}

using Handler = std::function<grpc::Status(grpc::ServerContext&, const ModelInferRequest&, ModelInferResponse&)>;

class Service : public inference::GRPCInferenceService::Service {
 public:
  explicit Service(Handler handler) : handler_(std::move(handler)) {}

  grpc::Status ModelInfer(grpc::ServerContext* context, const ModelInferRequest* request,
                          ModelInferResponse* response) override {
    {
      const std::lock_guard lock(mutex);
      peers.insert(context->peer());
    }
    return handler_(*context, *request, *response);
  }

  grpc::Status ModelMetadata(grpc::ServerContext*, const inference::ModelMetadataRequest* request,
                             inference::ModelMetadataResponse* response) override {
    if (request->name() != "net") return {grpc::StatusCode::NOT_FOUND, "no such model"};
    auto& input = *response->add_inputs();
    input.set_name("x");
    input.set_datatype("FP32");
    input.add_shape(-1);
    input.add_shape(2);
    return grpc::Status::OK;
  }

  std::mutex mutex;
  std::set<std::string> peers;

 private:
  Handler handler_;
};

/// A server on this machine that does as it is told.
class Server {
 public:
  explicit Server(Handler handler, std::shared_ptr<grpc::ServerCredentials> credentials = nullptr, int port = 0)
      : service(std::move(handler)) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort(fmt::format("127.0.0.1:{}", port),
                             credentials ? credentials : grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(&service);
    server_ = builder.BuildAndStart();
    EXPECT_TRUE(server_);
  }
  ~Server() { server_->Shutdown(std::chrono::system_clock::now() + 1s); }

  int port() const { return port_; }
  std::string address() const { return fmt::format("127.0.0.1:{}", port_); }

  Service service;

 private:
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

grpc::Status honest(grpc::ServerContext&, const ModelInferRequest& request, ModelInferResponse& response) {
  answer_honestly(request, response);
  return grpc::Status::OK;
}

SessionOptions options() {
  SessionOptions options;
  options.model = "net";
  options.version_id = "0123456789abcdef";
  options.signature = kSignature;
  options.deadline = 20s;
  options.retry.first = 10ms;
  return options;
}

wire::Error failure_of(Session& session, const std::stop_token& stop = {}) {
  try {
    session.infer(one_row(), 1, stop);
  } catch (const wire::Error& error) {
    return error;
  }
  ADD_FAILURE() << "the call succeeded";
  return {Code::ok, ""};
}

TEST(Grpc, CallsOverOneConnection) {
  Server server(honest);
  Session session(connect({.server = server.address()}), options());
  for (int i = 0; i < 3; ++i) EXPECT_EQ(session.infer(one_row(), 1).features, (std::vector<float>{1, 2, 3}));
  std::vector<std::future<Answer>> more;
  for (int i = 0; i < 4; ++i) {
    more.push_back(std::async(std::launch::async, [&] { return session.infer(one_row(), 1); }));
  }
  for (auto& call : more) EXPECT_GT(call.get().bytes_sent, 8U);
  EXPECT_EQ(server.service.peers.size(), 1U);
}

TEST(Grpc, SendsWhatTheProtocolSays) {
  ModelInferRequest seen;
  Server server([&](grpc::ServerContext&, const ModelInferRequest& request, ModelInferResponse& response) {
    seen = request;
    answer_honestly(request, response);
    return grpc::Status::OK;
  });
  Session session(connect({.server = server.address()}), options());
  session.infer(one_row(), 1);
  EXPECT_EQ(seen.model_name(), "net");
  EXPECT_EQ(seen.parameters().at("version_id").string_param(), "0123456789abcdef");
  EXPECT_EQ(seen.inputs(0).datatype(), "FP32");
  EXPECT_EQ(seen.raw_input_contents(0), std::string(8, '\1'));
}

TEST(Grpc, EveryStatusHasItsCode) {
  const std::pair<grpc::StatusCode, Code> statuses[] = {
      {grpc::StatusCode::INVALID_ARGUMENT, Code::invalid_argument},
      {grpc::StatusCode::NOT_FOUND, Code::not_found},
      {grpc::StatusCode::RESOURCE_EXHAUSTED, Code::too_large},
      {grpc::StatusCode::UNIMPLEMENTED, Code::unsupported},
      {grpc::StatusCode::INTERNAL, Code::internal},
      {grpc::StatusCode::UNAUTHENTICATED, Code::unauthenticated},
      {grpc::StatusCode::PERMISSION_DENIED, Code::permission_denied},
      {grpc::StatusCode::DATA_LOSS, Code::internal},
  };
  for (const auto& [status, code] : statuses) {
    std::atomic<int> calls{0};
    Server server([&, given = status](grpc::ServerContext&, const ModelInferRequest&, ModelInferResponse&) {
      ++calls;
      return grpc::Status(given, "the server's\nown \x1b[31mwords" + std::string(5000, 'x'));
    });
    Session session(connect({.server = server.address()}), options());
    const auto error = failure_of(session);
    EXPECT_EQ(error.code(), code);
    EXPECT_THAT(error.what(), AllOf(HasSubstr("the server's?own ?[31mwords"), Not(HasSubstr("\n"))));
    EXPECT_LT(std::strlen(error.what()), 500U);
    EXPECT_EQ(calls, 1) << "not tried again";
  }
}

TEST(Grpc, TriesAgainWhatIsUnavailable) {
  std::atomic<int> calls{0};
  Server server([&](grpc::ServerContext&, const ModelInferRequest& request, ModelInferResponse& response) {
    if (++calls < 3) return grpc::Status(grpc::StatusCode::UNAVAILABLE, "the queue is full");
    answer_honestly(request, response);
    return grpc::Status::OK;
  });
  Session session(connect({.server = server.address()}), options());
  EXPECT_EQ(session.infer(one_row(), 1).attempts, 3);
}

TEST(Grpc, EndsAtItsDeadline) {
  Server server([](grpc::ServerContext& context, const ModelInferRequest&, ModelInferResponse&) {
    while (!context.IsCancelled()) std::this_thread::sleep_for(1ms);
    return grpc::Status::CANCELLED;
  });
  auto short_one = options();
  short_one.deadline = 100ms;
  Session session(connect({.server = server.address()}), short_one);
  EXPECT_EQ(failure_of(session).code(), Code::deadline);
}

TEST(Grpc, EndsWhenItIsStopped) {
  std::promise<void> begun;
  std::atomic<bool> cancelled{false};
  Server server([&](grpc::ServerContext& context, const ModelInferRequest&, ModelInferResponse&) {
    begun.set_value();
    while (!context.IsCancelled()) std::this_thread::sleep_for(1ms);
    cancelled = true;
    return grpc::Status::CANCELLED;
  });
  Session session(connect({.server = server.address()}), options());
  std::stop_source stop;
  std::thread other([&] {
    begun.get_future().wait();
    stop.request_stop();
  });
  EXPECT_EQ(failure_of(session, stop.get_token()).code(), Code::cancelled);
  other.join();
  for (int i = 0; i < 10000 && !cancelled; ++i) std::this_thread::sleep_for(1ms);
  EXPECT_TRUE(cancelled) << "the server goes on with a call that nobody waits for";
}

TEST(Grpc, NamesAServerThatIsNotThere) {
  int port = 0;
  {
    const Server gone(honest);
    port = gone.port();
  }
  Session session(connect({.server = fmt::format("127.0.0.1:{}", port)}), options());
  const auto error = failure_of(session);
  EXPECT_EQ(error.code(), Code::unavailable);
  EXPECT_THAT(error.what(), AllOf(HasSubstr(fmt::format("127.0.0.1:{}", port)), HasSubstr("(attempt 4)")));
}

TEST(Grpc, ComesBackWithTheServer) {
  auto first = std::make_unique<Server>(honest);
  const int port = first->port();
  auto patient = options();
  patient.retry = {.attempts = 100, .first = 50ms, .longest = 500ms};
  Session session(connect({.server = first->address()}), patient);
  session.infer(one_row(), 1);
  first.reset();
  auto call = std::async(std::launch::async, [&] { return session.infer(one_row(), 1); });
  const Server second(honest, nullptr, port);
  EXPECT_EQ(call.get().features.size(), 3U);
}

TEST(Grpc, RefusesAnAnswerThatIsTooLong) {
  Server server([](grpc::ServerContext&, const ModelInferRequest& request, ModelInferResponse& response) {
    answer_honestly(request, response);
    response.set_raw_output_contents(0, std::string(100000, 'x'));
    return grpc::Status::OK;
  });
  Session session(connect({.server = server.address(), .largest_answer = 4096}), options());
  EXPECT_EQ(failure_of(session).code(), Code::too_large);
}

TEST(Grpc, AsksForAModelsInterface) {
  Server server(honest);
  const auto transport = connect({.server = server.address()});
  const auto metadata = transport->metadata("net", Clock::now() + 20s, {});
  ASSERT_EQ(metadata.inputs.size(), 1U);
  EXPECT_EQ(metadata.inputs[0].shape, (wire::Shape{-1, 2}));
  try {
    transport->metadata("other", Clock::now() + 20s, {});
    FAIL();
  } catch (const wire::Error& error) {
    EXPECT_EQ(error.code(), Code::not_found);
  }
}

TEST(Grpc, SendsNothingInPlainTextBeyondThisMachine) {
  EXPECT_THAT(tests::message_of<base::UsageError>([] { connect({.server = "192.0.2.1:8001"}); }),
              AllOf(HasSubstr("192.0.2.1:8001"), HasSubstr("--insecure")));
  EXPECT_NO_THROW(connect({.server = "192.0.2.1:8001", .insecure = true}));
  EXPECT_THAT(tests::message_of<base::UsageError>([] { connect({.server = "192.0.2.1"}); }), HasSubstr("HOST:PORT"));
}

class Tls : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"ours", "theirs"}) {
      pki::init(directory / name, {});
      pki::issue(directory / name, {.name = "server", .kind = pki::Kind::server, .hosts = {"127.0.0.1"}});
      pki::issue(directory / name, {.name = "camera", .kind = pki::Kind::device, .hosts = {}});
    }
    pki::issue(directory / "ours", {.name = "elsewhere", .kind = pki::Kind::server, .hosts = {"example.org"}});
  }

  std::filesystem::path file(const char* authority, const std::string& name) const {
    return directory / authority / name;
  }

  /// A server with mutual TLS.
  std::unique_ptr<Server> server(const std::string& name = "server") const {
    grpc::SslServerCredentialsOptions tls(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
    tls.pem_root_certs = base::read_file(file("ours", "ca.pem"));
    tls.pem_key_cert_pairs = {
        {base::read_file(file("ours", name + ".key")), base::read_file(file("ours", name + ".pem"))}};
    return std::make_unique<Server>(honest, grpc::SslServerCredentials(tls));
  }

  static std::vector<float> ask(const Server& server, const TlsFiles& files) {
    auto impatient = options();
    impatient.retry.attempts = 2;
    Session session(connect({.server = server.address(), .tls = files}), impatient);
    return session.infer(one_row(), 1).features;
  }

  static Code refusal(const Server& server, const TlsFiles& files) {
    try {
      ask(server, files);
    } catch (const wire::Error& error) {
      return error.code();
    }
    ADD_FAILURE() << "the call succeeded";
    return Code::ok;
  }

  TlsFiles camera() const { return {file("ours", "ca.pem"), file("ours", "camera.pem"), file("ours", "camera.key")}; }

  tests::TemporaryDirectory directory;
};

TEST_F(Tls, IsMutual) {
  EXPECT_EQ(ask(*server(), camera()).size(), 3U);
}

TEST_F(Tls, TrustsNoOtherAuthorityAndNoOtherHost) {
  auto files = camera();
  files.authority = file("theirs", "ca.pem");
  EXPECT_EQ(refusal(*server(), files), Code::unavailable);
  EXPECT_EQ(refusal(*server("elsewhere"), camera()), Code::unavailable);
  EXPECT_EQ(refusal(*server("camera"), camera()), Code::unavailable) << "a device poses as a server";
}

TEST_F(Tls, NeedsTheDevicesCertificate) {
  EXPECT_EQ(refusal(*server(), {file("ours", "ca.pem"), {}, {}}), Code::unavailable);
  auto files = camera();
  files.certificate = file("theirs", "camera.pem");
  files.key = file("theirs", "camera.key");
  EXPECT_EQ(refusal(*server(), files), Code::unavailable);
}

TEST_F(Tls, RefusesFilesThatCannotWorkBeforeItConnects) {
  const auto refused = [](const TlsFiles& files) {
    return tests::message_of<base::UsageError>([&] { connect({.server = "127.0.0.1:1", .tls = files}); });
  };
  auto files = camera();
  files.authority = file("ours", "camera.key");
  EXPECT_THAT(refused(files), AllOf(HasSubstr("--tls-ca"), HasSubstr("holds no certificate")));
  files = camera();
  files.authority = "nowhere.pem";
  EXPECT_THAT(refused(files), AllOf(HasSubstr("--tls-ca nowhere.pem"), HasSubstr("cannot be read")));
  files = camera();
  files.certificate = files.key;
  EXPECT_THAT(refused(files), AllOf(HasSubstr("--cert"), HasSubstr("holds no certificate")));
  files = camera();
  files.key = files.certificate;
  EXPECT_THAT(refused(files), AllOf(HasSubstr("--key"), HasSubstr("holds no private key")));
  files = camera();
  files.key = file("ours", "server.key");
  EXPECT_THAT(refused(files), HasSubstr("is not the key of"));
  files = camera();
  files.key.clear();
  EXPECT_THAT(refused(files), HasSubstr("give both"));
}

}  // namespace
}  // namespace infoscissors::client

#endif
