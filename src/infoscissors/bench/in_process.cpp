#include "infoscissors/bench/in_process.h"

#include "infoscissors/wire/error.h"

#include <future>

namespace infoscissors::bench {
namespace {

using wire::Code;
using wire::Error;

/// The same request; its tensors view the same bytes, which outlive the call.
wire::Request view_of(const wire::Request& request) {
  wire::Request view;
  view.model = request.model;
  view.version = request.version;
  view.id = request.id;
  view.parameters = request.parameters;
  view.outputs = request.outputs;
  view.keep = request.keep;
  for (const auto& tensor : request.inputs) {
    view.inputs.emplace_back(tensor.name, tensor.datatype, tensor.shape, tensor.data);
  }
  return view;
}

class InProcess : public client::Transport {
 public:
  explicit InProcess(serve::Core& core) : core_(core) {}

  client::Reply infer(const wire::Request& request, client::Clock::time_point deadline,
                      const std::stop_token&) override {
    std::promise<serve::Outcome> promise;
    auto future = promise.get_future();
    core_.infer(view_of(request), {.device = "", .address = "in-process", .protocol = "none"}, deadline,
                [&](serve::Outcome outcome) { promise.set_value(std::move(outcome)); });
    auto outcome = future.get();
    if (outcome.code != Code::ok) throw Error(outcome.code, outcome.message);
    client::Reply reply;
    reply.response = std::move(outcome.response);
    for (const auto& tensor : request.inputs) reply.bytes_sent += tensor.data.size();
    for (const auto& tensor : reply.response.outputs) reply.bytes_received += tensor.data.size();
    return reply;
  }

  client::ModelMetadata metadata(const std::string& model, client::Clock::time_point, const std::stop_token&) override {
    auto found = core_.metadata(model, "", {.device = "", .address = "in-process", .protocol = "none"});
    return {std::move(found.inputs), std::move(found.outputs)};
  }

  std::string destination() const override { return "this process"; }

 private:
  serve::Core& core_;
};

}  // namespace

std::shared_ptr<client::Transport> connect_in_process(serve::Core& core) {
  return std::make_shared<InProcess>(core);
}

}  // namespace infoscissors::bench
