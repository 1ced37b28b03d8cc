#pragma once

#include "infoscissors/client/transport.h"

#include "open_inference_grpc.pb.h"

#include <memory>

/// Between the protocol's messages and the plain structs of `wire`, the client's direction.
namespace infoscissors::client {

/// Tensors travel raw.
inference::ModelInferRequest to_proto(const wire::Request& request);

/// Views into the message, which the result keeps. Raw and typed FP32 contents are taken; names, ranks, counts and
/// parameters are bounded. Throws wire::Error(internal) for an answer no server may give.
wire::Response parse(std::shared_ptr<const inference::ModelInferResponse> message);

/// Throws wire::Error(internal).
ModelMetadata parse(const inference::ModelMetadataResponse& message);

}  // namespace infoscissors::client
