#include "infoscissors/front/server.h"

#include "infoscissors/front/request.h"

#include "tests/front/support.h"
#include "tests/support/bytes.h"

#include <gmock/gmock.h>

#include <chrono>
#include <cstring>
#include <thread>

namespace infoscissors::front {
namespace {

using namespace std::chrono_literals;
using base::Json;
using testing::HasSubstr;
using testing::Not;

const std::string kInferPath = "/v2/models/net/infer";
const std::string kRow = R"({"id":"q","inputs":[{"name":"r","shape":[1,4],"datatype":"FP32","data":[1,2,3,4.5]}]})";

class Front : public testing::Test {
 protected:
  void SetUp() override {
    if (!available()) GTEST_SKIP() << "built without the component http";
  }
};

TEST_F(Front, AnswersWhatTheProtocolAsks) {
  Running running;
  Client client(running.port());
  EXPECT_EQ(client.get("/v2/health/live").json(), Json({{"live", true}}));
  EXPECT_EQ(client.get("/v2/health/ready").json(), Json({{"ready", true}}));
  EXPECT_EQ(client.get("/v2").json()["name"], "infoscissors");
  EXPECT_EQ(client.get("/v2/models/net/ready").status, 200);
  EXPECT_EQ(client.get("/v2/models/other/ready").status, 503);
  const auto model = client.get("/v2/models/net").json();
  EXPECT_EQ(model["name"], "net");
  EXPECT_EQ(model["inputs"], Json::parse(R"([{"name":"r","datatype":"FP32","shape":[-1,4]}])"));
  EXPECT_EQ(model["outputs"], Json::parse(R"([{"name":"v","datatype":"FP32","shape":[-1,2]}])"));
  const std::string version = model["versions"][0];
  EXPECT_EQ(client.get("/v2/models/net/versions/" + version).status, 200);
  EXPECT_EQ(client.get("/v2/models/net/versions/0000000000000000").status, 404);
  EXPECT_EQ(client.get("/v2/models/other").status, 404);
  const auto metrics = client.get("/metrics");
  EXPECT_THAT(metrics.header("Content-Type"), HasSubstr("text/plain; version=0.0.4"));
  EXPECT_THAT(metrics.body, HasSubstr("infoscissors_rest_connections 1\n"));
}

TEST_F(Front, InfersFromJson) {
  Running running;
  Client client(running.port());
  const auto answer = client.post(kInferPath, kRow);
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.header("Cache-Control"), "no-store");
  const auto document = answer.json();
  EXPECT_EQ(document["id"], "q");
  EXPECT_EQ(document["outputs"][0]["data"], Json({10.5, 1}));
  EXPECT_EQ(document["outputs"][0]["shape"], Json({1, 2}));
  EXPECT_EQ(document["parameters"]["version_id"], document["model_version"]);
}

TEST_F(Front, InfersFromBinaryTensors) {
  Running running;
  Client client(running.port());
  const std::string head =
      R"({"inputs":[{"name":"r","shape":[2,4],"datatype":"FP32","parameters":{"binary_data_size":32}}],)"
      R"("outputs":[{"name":"v","parameters":{"binary_data":true}}]})";
  const auto answer = client.post(kInferPath, head + tests::bytes_of({1, 2, 3, 4, 5, 6, 7, 8}),
                                  fmt::format("{}: {}\r\n", kJsonLength, head.size()));
  ASSERT_EQ(answer.status, 200) << answer.body;
  const auto length = std::stoul(answer.header(kJsonLength));
  EXPECT_EQ(answer.body.substr(length), tests::bytes_of({10, 1, 26, 5}));
  EXPECT_EQ(Json::parse(answer.body.substr(0, length))["outputs"][0]["parameters"]["binary_data_size"], 16);
}

TEST_F(Front, InfersFromARawBody) {
  Running running;
  Client client(running.port());
  const auto answer = client.post(kInferPath, tests::bytes_of({1, 2, 3, 4}), fmt::format("{}: 0\r\n", kJsonLength));
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.body.substr(std::stoul(answer.header(kJsonLength))), tests::bytes_of({10, 1}));
  EXPECT_EQ(client.post("/v2/models/other/infer", "1234", fmt::format("{}: 0\r\n", kJsonLength)).status, 404);
}

TEST_F(Front, AConnectionServesManyRequestsAndPipelinedOnes) {
  Running running;
  Client client(running.port());
  for (int i = 0; i < 50; ++i) ASSERT_EQ(client.post(kInferPath, kRow).status, 200);
  const auto request =
      fmt::format("POST {} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{}", kInferPath, kRow.size(), kRow);
  client.send(request + request + request);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(client.read().json()["outputs"][0]["data"], Json({10.5, 1}));
}

TEST_F(Front, ErrorsHaveTheirCodes) {
  Running running;
  const auto status = [&](const std::string& target, const std::string& body, const std::string& headers = "") {
    Client client(running.port());
    const auto answer = client.post(target, body, headers);
    EXPECT_TRUE(answer.status == 200 || answer.json().contains("error")) << answer.body;
    return answer.status;
  };
  EXPECT_EQ(status(kInferPath, "{"), 400);
  EXPECT_EQ(status(kInferPath, "{}"), 400);
  EXPECT_EQ(status(kInferPath, kRow, fmt::format("{}: 7\r\n", kJsonLength)), 400);
  EXPECT_EQ(status(kInferPath, kRow, fmt::format("{}: x\r\n", kJsonLength)), 400);
  EXPECT_EQ(status(kInferPath, kRow, fmt::format("{0}: 1\r\n{0}: 2\r\n", kJsonLength)), 400);
  EXPECT_EQ(status("/v2/models/other/infer", kRow), 404);
  EXPECT_EQ(status("/v2/models/net/versions/7/infer", kRow), 404);
  EXPECT_EQ(status("/v2/models/%2e%2e%2fetc/infer", kRow), 404);
  EXPECT_EQ(status("/v2/models/a%00b/infer", kRow), 400);
  EXPECT_EQ(status("/elsewhere", kRow), 404);
  EXPECT_EQ(status("/v2", kRow), 405);
  EXPECT_EQ(status(kInferPath, kRow, "Content-Encoding: gzip\r\n"), 501);
  EXPECT_EQ(status(kInferPath, std::string(static_cast<std::size_t>(running.core->message_limit()) + 1, ' ')), 413);
  EXPECT_EQ(status(kInferPath, kRow), 200) << "the server goes on";
  Client client(running.port());
  const auto wrong = client.get(kInferPath);
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(wrong.header("Allow"), "POST, OPTIONS");
  EXPECT_EQ(client.get("/v2/health/live").status, 200) << "a refused GET does not cost the connection";
}

TEST_F(Front, ABodyInPiecesOfOneByte) {
  Running running;
  Client client(running.port());
  std::string chunks;
  for (const char c : kRow) chunks += fmt::format("1\r\n{}\r\n", c);
  const auto head = fmt::format("POST {} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", kInferPath);
  EXPECT_EQ(client.ask(head + chunks + "0\r\n\r\n").status, 200);
  // More than there may be, without a length in advance.
  std::string many;
  for (std::int64_t i = 0; i <= running.core->message_limit(); ++i) many += "1\r\n \r\n";
  EXPECT_EQ(client.ask(head + many + "0\r\n\r\n").status, 413);
}

TEST_F(Front, ABodyThatNeverEndsEndsTheConnection) {
  Running running;
  Client client(running.port());
  client.send(fmt::format("POST {} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", kInferPath));
  const auto chunk = "10000\r\n" + std::string(0x10000, ' ') + "\r\n";
  for (int i = 0; i < 200; ++i) client.send(chunk);
  EXPECT_TRUE(client.closed(10s));
  EXPECT_EQ(Client(running.port()).get("/v2/health/live").status, 200);
}

TEST_F(Front, AGetWithABodyCannotSmuggleARequest) {
  Running running;
  Client client(running.port());
  const std::string inner = "GET /v2/models/net HTTP/1.1\r\nHost: x\r\n\r\n";
  client.send(
      fmt::format("GET /v2/health/live HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{}", inner.size(), inner));
  EXPECT_EQ(client.read().json(), Json({{"live", true}}));
  EXPECT_EQ(client.get("/v2/health/ready").json(), Json({{"ready", true}}));
}

TEST_F(Front, AHeaderFloodEndsInAnErrorOrTheConnection) {
  Running running;
  Client client(running.port());
  client.send("GET /v2 HTTP/1.1\r\nHost: x\r\n");
  for (int i = 0; i < 2000; ++i) client.send(fmt::format("X-{}: {}\r\n", i, std::string(100, 'a')));
  const auto answer = client.read();
  EXPECT_TRUE(answer.status == 431 || answer.status == 0) << answer.status;
  Client other(running.port());
  const auto long_target = other.ask("GET /" + std::string(1 << 20, 'a') + " HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(long_target.status == 414 || long_target.status == 0) << long_target.status;
  EXPECT_EQ(Client(running.port()).get("/v2/health/live").status, 200);
}

TEST_F(Front, OriginsAreAllowedOnlyWhereSet) {
  {
    Running running;
    EXPECT_THAT(Client(running.port()).get("/v2").head, Not(HasSubstr("Access-Control")));
  }
  serve::Settings settings;
  settings.cors_origin = "https://example.org";
  Running running(settings);
  Client client(running.port());
  const auto preflight =
      client.ask("OPTIONS " + kInferPath + " HTTP/1.1\r\nHost: x\r\nOrigin: https://example.org\r\n\r\n");
  EXPECT_EQ(preflight.status, 204);
  EXPECT_EQ(preflight.header("Access-Control-Allow-Origin"), "https://example.org");
  EXPECT_THAT(preflight.header("Access-Control-Allow-Headers"), HasSubstr(kJsonLength));
  EXPECT_EQ(client.post(kInferPath, kRow).header("Access-Control-Expose-Headers"), kJsonLength);
}

TEST_F(Front, ConnectionsAreLimited) {
  serve::Settings settings;
  settings.max_connections = 3;
  settings.max_connections_per_address = 2;
  Running running(settings);
  Client first(running.port());
  Client second(running.port());
  EXPECT_EQ(first.get("/v2").status, 200);
  EXPECT_EQ(second.get("/v2").status, 200);
  EXPECT_TRUE(Client(running.port()).closed(10s));
  EXPECT_THAT(first.get("/metrics").body, HasSubstr("refused_total{reason=\"address_limit\"} 1\n"));
  second.reset();
  // The place is free as soon as the server has noticed.
  for (int i = 0; i < 500; ++i) {
    Client next(running.port());
    if (next.get("/v2").status == 200) return;
    std::this_thread::sleep_for(10ms);
  }
  FAIL() << "the place of a closed connection was not free again";
}

TEST_F(Front, ASlowHeadIsTimedOut) {
  serve::Settings settings;
  settings.handshake_seconds = 1;
  Running running(settings);
  Client slow(running.port());
  bool ended = false;
  for (int i = 0; i < 100 && !ended; ++i) {
    slow.send("GET /v2 HTTP/1.1\r\n"[static_cast<std::size_t>(i) % 17] == 'G' ? "G" : "x");
    ended = slow.closed(100ms);
  }
  EXPECT_TRUE(ended) << "a byte now and then must not keep a connection open";
}

TEST_F(Front, AClientThatGoesAwayTakesItsRequestWithIt) {
  Running running;
  running.gate->close();
  Client running_one(running.port());
  running_one.send(
      fmt::format("POST {} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{}", kInferPath, kRow.size(), kRow));
  while (running.core->pending() < 1) std::this_thread::sleep_for(1ms);
  std::this_thread::sleep_for(50ms);  // so that the first is in the network and the second waits
  {
    Client waiting(running.port());
    waiting.send(
        fmt::format("POST {} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{}", kInferPath, kRow.size(), kRow));
    while (running.core->pending() < 2) std::this_thread::sleep_for(1ms);
    waiting.reset();
  }
  for (int i = 0; i < 1000 && running.core->pending() > 1; ++i) std::this_thread::sleep_for(10ms);
  EXPECT_EQ(running.core->pending(), 1) << "cancelled while the network is busy with another";
  running.gate->open();
  EXPECT_EQ(running_one.read().status, 200);
}

TEST_F(Front, RequestsHaveDeadlines) {
  Running running;
  running.gate->close();
  Client first(running.port());
  first.send(fmt::format("POST {} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{}", kInferPath, kRow.size(), kRow));
  while (running.core->pending() < 1) std::this_thread::sleep_for(1ms);
  std::this_thread::sleep_for(50ms);
  Client second(running.port());
  const auto hurried = R"({"parameters":{"timeout":1000},)" + kRow.substr(1);
  EXPECT_EQ(second.post(kInferPath, hurried).status, 504);
  const auto never = R"({"parameters":{"timeout":0},)" + kRow.substr(1);
  EXPECT_EQ(second.post(kInferPath, never).status, 400);
}

TEST_F(Front, StopLetsRequestsFinish) {
  Running running;
  running.gate->close();
  Client busy(running.port());
  Client idle(running.port());
  EXPECT_EQ(idle.get("/v2").status, 200);
  busy.send(fmt::format("POST {} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{}", kInferPath, kRow.size(), kRow));
  while (running.core->pending() < 1) std::this_thread::sleep_for(1ms);
  std::thread opener([&] {
    EXPECT_TRUE(idle.closed(10s)) << "idle connections end at once";
    running.gate->open();
  });
  running.server->stop(20s);
  opener.join();
  const auto answer = busy.read();
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.header("Connection"), "close");
}

TEST_F(Front, StopNeverHangs) {
  Running running;
  running.gate->close();
  Client stuck(running.port());
  stuck.send(fmt::format("POST {} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{}", kInferPath, kRow.size(), kRow));
  while (running.core->pending() < 1) std::this_thread::sleep_for(1ms);
  Client half_a_head(running.port());
  half_a_head.send("GET /v2 HT");
  Client half_a_body(running.port());
  half_a_body.send(fmt::format("POST {} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{{", kInferPath));
  Client silent(running.port());
  const auto start = std::chrono::steady_clock::now();
  running.server->stop(300ms);
  EXPECT_LT(std::chrono::steady_clock::now() - start, 10s);
  EXPECT_EQ(stuck.read().status, 503);
  running.gate->open();
  running.server.reset();
}

TEST_F(Front, AnAddressInUseIsAnError) {
  Running running;
  auto settings = running.core->settings();
  settings.rest = running.server->address();
  serve::Core other(settings, [&](const auto&, const auto&) { return std::make_unique<SumNetwork>(running.gate); });
  try {
    start(other);
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("cannot listen on 127.0.0.1:"));
  }
}

}  // namespace
}  // namespace infoscissors::front
