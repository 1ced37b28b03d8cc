#include "infoscissors/rpc/service.h"

#include "infoscissors/rpc/caller.h"
#include "infoscissors/rpc/message.h"

#include <utility>

namespace infoscissors::rpc {
namespace {

using serve::Clock;

/// One ModelInfer under way. It lives until gRPC is done with it, which is after its answer; the core answers exactly
/// once, so it cannot be missed.
class Infer : public grpc::ServerUnaryReactor {
 public:
  Infer(serve::Core& core, grpc::ByteBuffer* response) : core_(core), response_(response) {}

  void run(const grpc::CallbackServerContext& context, const grpc::ByteBuffer& message) {
    const auto begin = Clock::now();
    const auto caller = caller_of(context);
    Decoded decoded;
    try {
      decoded = decode(message);
    } catch (const wire::Error& error) {
      core_.count_refused(caller, error.code(), error.what());
      return Finish(status_of(error.code(), error.what()));
    }
    reading_ = Clock::now() - begin;
    // OnCancel cannot come before the method that created this has returned, so the ticket is there by then.
    ticket_ = core_.infer(std::move(decoded.request), caller, deadline_of(context),
                          [this, typed = decoded.typed](const serve::Outcome& outcome) { answer(outcome, typed); });
  }

  void OnCancel() override { ticket_.cancel(); }
  void OnDone() override { delete this; }

 private:
  void answer(const serve::Outcome& outcome, bool typed) {
    if (outcome.code != wire::Code::ok) return Finish(status_of(outcome.code, outcome.message));
    const auto begin = Clock::now();
    *response_ = encode(outcome.response, typed, false);
    core_.count_wire_time(reading_ + (Clock::now() - begin));
    Finish(grpc::Status::OK);
  }

  serve::Core& core_;
  grpc::ByteBuffer* response_;
  serve::Ticket ticket_;
  Clock::duration reading_{};
};

/// A call that is answered where it arrives; what it throws becomes its status.
template <class Work>
grpc::ServerUnaryReactor* at_once(grpc::CallbackServerContext* context, Work work) {
  auto* reactor = context->DefaultReactor();
  try {
    work();
    reactor->Finish(grpc::Status::OK);
  } catch (const wire::Error& error) {
    reactor->Finish(status_of(error.code(), error.what()));
  } catch (const std::exception&) {
    reactor->Finish({grpc::StatusCode::INTERNAL, "the server failed on this request"});
  }
  return reactor;
}

template <class Added>
void fill(const wire::TensorSpec& tensor, Added& added) {
  added.set_name(tensor.name);
  added.set_datatype(std::string(wire::name(tensor.datatype)));
  for (const auto size : tensor.shape) added.add_shape(size);
}

void fill(const serve::Duration& duration, inference::StatisticDuration& target) {
  target.set_count(duration.count);
  target.set_ns(duration.ns);
}

void fill(const serve::ModelStatistics& model, inference::ModelStatistics& target) {
  target.set_name(model.name);
  target.set_version(model.version);
  target.set_last_inference(model.last_inference_ms);
  target.set_inference_count(model.rows);
  target.set_execution_count(model.batches);
  auto& statistics = *target.mutable_inference_stats();
  fill(model.success, *statistics.mutable_success());
  fill(model.fail, *statistics.mutable_fail());
  fill(model.queue, *statistics.mutable_queue());
  fill(model.input, *statistics.mutable_compute_input());
  fill(model.compute, *statistics.mutable_compute_infer());
  fill(model.output, *statistics.mutable_compute_output());
}

template <class Request>
void refuse_parameters(const Request& request) {
  if (request.parameters().empty() && request.repository_name().empty()) return;
  throw wire::Error(wire::Code::unsupported, "models come from the server's own bundles, without parameters");
}

}  // namespace

grpc::ServerUnaryReactor* InferenceService::ModelInfer(Context* context, const grpc::ByteBuffer* request,
                                                       grpc::ByteBuffer* response) {
  auto* infer = new Infer(core_, response);
  infer->run(*context, *request);
  return infer;
}

grpc::ServerUnaryReactor* InferenceService::ServerLive(Context* context, const inference::ServerLiveRequest*,
                                                       inference::ServerLiveResponse* response) {
  return at_once(context, [&] { response->set_live(core_.live()); });
}

grpc::ServerUnaryReactor* InferenceService::ServerReady(Context* context, const inference::ServerReadyRequest*,
                                                        inference::ServerReadyResponse* response) {
  return at_once(context, [&] { response->set_ready(core_.ready()); });
}

grpc::ServerUnaryReactor* InferenceService::ModelReady(Context* context, const inference::ModelReadyRequest* request,
                                                       inference::ModelReadyResponse* response) {
  return at_once(context, [&] {
    response->set_ready(core_.model_ready(request->name(), request->version(), caller_of(*context)));
  });
}

grpc::ServerUnaryReactor* InferenceService::ServerMetadata(Context* context, const inference::ServerMetadataRequest*,
                                                           inference::ServerMetadataResponse* response) {
  return at_once(context, [&] {
    const auto metadata = core_.metadata();
    response->set_name(metadata.name);
    response->set_version(metadata.version);
    for (const auto& extension : metadata.extensions) response->add_extensions(extension);
  });
}

grpc::ServerUnaryReactor* InferenceService::ModelMetadata(Context* context,
                                                          const inference::ModelMetadataRequest* request,
                                                          inference::ModelMetadataResponse* response) {
  return at_once(context, [&] {
    const auto metadata = core_.metadata(request->name(), request->version(), caller_of(*context));
    response->set_name(metadata.name);
    response->set_platform(metadata.platform);
    for (const auto& version : metadata.versions) response->add_versions(version);
    for (const auto& tensor : metadata.inputs) fill(tensor, *response->add_inputs());
    for (const auto& tensor : metadata.outputs) fill(tensor, *response->add_outputs());
  });
}

grpc::ServerUnaryReactor* InferenceService::ModelStatistics(Context* context,
                                                            const inference::ModelStatisticsRequest* request,
                                                            inference::ModelStatisticsResponse* response) {
  return at_once(context, [&] {
    for (const auto& model : core_.statistics(request->name(), request->version(), caller_of(*context))) {
      fill(model, *response->add_model_stats());
    }
  });
}

grpc::ServerUnaryReactor* InferenceService::RepositoryIndex(Context* context,
                                                            const inference::RepositoryIndexRequest* request,
                                                            inference::RepositoryIndexResponse* response) {
  return at_once(context, [&] {
    for (const auto& state : core_.index(caller_of(*context))) {
      if (request->ready() && state.state != "READY") continue;
      auto& model = *response->add_models();
      model.set_name(state.name);
      model.set_version(state.version);
      model.set_state(state.state);
      model.set_reason(state.reason);
    }
  });
}

grpc::ServerUnaryReactor* InferenceService::RepositoryModelLoad(Context* context,
                                                                const inference::RepositoryModelLoadRequest* request,
                                                                inference::RepositoryModelLoadResponse*) {
  return at_once(context, [&] {
    core_.require_administrator(caller_of(*context));
    refuse_parameters(*request);
    core_.load(request->model_name(), caller_of(*context));
  });
}

grpc::ServerUnaryReactor* InferenceService::RepositoryModelUnload(
    Context* context, const inference::RepositoryModelUnloadRequest* request,
    inference::RepositoryModelUnloadResponse*) {
  return at_once(context, [&] {
    core_.require_administrator(caller_of(*context));
    refuse_parameters(*request);
    core_.unload(request->model_name(), caller_of(*context));
  });
}

}  // namespace infoscissors::rpc
