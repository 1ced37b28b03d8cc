#pragma once

#include "infoscissors/rpc/stream.h"
#include "infoscissors/serve/core.h"

#include "open_inference_grpc.grpc.pb.h"

namespace infoscissors::rpc {

/// The calls that read tensors get the message's bytes, see decode(); the others get messages.
template <class Base>
using Raw = inference::GRPCInferenceService::WithRawCallbackMethod_ModelInfer<
    inference::GRPCInferenceService::WithRawCallbackMethod_ModelStreamInfer<Base>>;
template <class Base>
using Status = inference::GRPCInferenceService::WithCallbackMethod_ServerLive<
    inference::GRPCInferenceService::WithCallbackMethod_ServerReady<
        inference::GRPCInferenceService::WithCallbackMethod_ModelReady<
            inference::GRPCInferenceService::WithCallbackMethod_ServerMetadata<
                inference::GRPCInferenceService::WithCallbackMethod_ModelMetadata<
                    inference::GRPCInferenceService::WithCallbackMethod_ModelStatistics<Base>>>>>>;
template <class Base>
using Management = inference::GRPCInferenceService::WithCallbackMethod_RepositoryIndex<
    inference::GRPCInferenceService::WithCallbackMethod_RepositoryModelLoad<
        inference::GRPCInferenceService::WithCallbackMethod_RepositoryModelUnload<Base>>>;

/// inference.GRPCInferenceService over the core. Nothing here waits.
class InferenceService final : public Raw<Status<Management<inference::GRPCInferenceService::Service>>> {
 public:
  explicit InferenceService(serve::Core& core) : core_(core), streams_(core) {}

  void drain() { streams_.drain(); }

  using Context = grpc::CallbackServerContext;
  using Unary = grpc::ServerUnaryReactor;
  Unary* ModelInfer(Context* context, const grpc::ByteBuffer* request, grpc::ByteBuffer* response) override;
  Streams::Reactor* ModelStreamInfer(Context* context) override { return streams_.open(context); }
  Unary* ServerLive(Context* context, const inference::ServerLiveRequest* request,
                    inference::ServerLiveResponse* response) override;
  Unary* ServerReady(Context* context, const inference::ServerReadyRequest* request,
                     inference::ServerReadyResponse* response) override;
  Unary* ModelReady(Context* context, const inference::ModelReadyRequest* request,
                    inference::ModelReadyResponse* response) override;
  Unary* ServerMetadata(Context* context, const inference::ServerMetadataRequest* request,
                        inference::ServerMetadataResponse* response) override;
  Unary* ModelMetadata(Context* context, const inference::ModelMetadataRequest* request,
                       inference::ModelMetadataResponse* response) override;
  Unary* ModelStatistics(Context* context, const inference::ModelStatisticsRequest* request,
                         inference::ModelStatisticsResponse* response) override;
  Unary* RepositoryIndex(Context* context, const inference::RepositoryIndexRequest* request,
                         inference::RepositoryIndexResponse* response) override;
  Unary* RepositoryModelLoad(Context* context, const inference::RepositoryModelLoadRequest* request,
                             inference::RepositoryModelLoadResponse* response) override;
  Unary* RepositoryModelUnload(Context* context, const inference::RepositoryModelUnloadRequest* request,
                               inference::RepositoryModelUnloadResponse* response) override;

 private:
  serve::Core& core_;
  Streams streams_;
};

}  // namespace infoscissors::rpc
