// What a server, which nobody need trust, answers a device: whatever it sends, the device gets finite features of the
// right number or an error.
#include "infoscissors/client/proto.h"
#include "infoscissors/client/session.h"
#include "tests/fuzz/refuses.h"

#include <cmath>
#include <memory>

using namespace infoscissors;

namespace {

const wire::Signature kSignature{.input = {.name = "r", .datatype = wire::DataType::fp32, .shape = {-1, 2}},
                                 .output = {.name = "v", .datatype = wire::DataType::fp32, .shape = {-1, 3}}};

// Answers every request with the same message.
class Server : public client::Transport {
 public:
  Server(const std::uint8_t* bytes, std::size_t size) : bytes_(reinterpret_cast<const char*>(bytes), size) {}

  client::Reply infer(const wire::Request& request, client::Clock::time_point, const std::stop_token&) override {
    auto message = std::make_shared<inference::ModelInferResponse>();
    if (!message->ParseFromString(bytes_)) throw wire::Error(wire::Code::internal, "no message");
    // An answer to another request is refused; without this nothing else would ever be reached.
    if (message->id() == "?") message->set_id(request.id);
    return {.response = client::parse(std::move(message)), .bytes_sent = 0, .bytes_received = bytes_.size()};
  }

  client::ModelMetadata metadata(const std::string&, client::Clock::time_point, const std::stop_token&) override {
    inference::ModelMetadataResponse message;
    if (!message.ParseFromString(bytes_)) throw wire::Error(wire::Code::internal, "no message");
    return client::parse(message);
  }

  std::string destination() const override { return "here"; }

 private:
  std::string bytes_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const auto server = std::make_shared<Server>(bytes, size);
  const float row[] = {1, 2};
  fuzz::accepts([&] {
    client::SessionOptions options;
    options.model = "net";
    options.signature = kSignature;
    options.retry.attempts = 1;
    client::Session session(server, options);
    std::vector<wire::Tensor> inputs;
    inputs.emplace_back("r", wire::DataType::fp32, wire::Shape{1, 2},
                        std::string_view(reinterpret_cast<const char*>(row), sizeof row));
    const auto answer = session.infer(std::move(inputs), 1);
    fuzz::require(answer.features.size() == 3, "one row of features");
    for (const float feature : answer.features) fuzz::require(std::isfinite(feature), "features are finite");
  });
  fuzz::accepts([&] {
    const auto metadata = server->metadata("net", {}, {});
    client::foreign_signature(metadata, kSignature);
  });
  return 0;
}
