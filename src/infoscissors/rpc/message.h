#pragma once

#include "infoscissors/wire/error.h"
#include "infoscissors/wire/tensor.h"

#include <grpcpp/support/byte_buffer.h>

#include <memory>
#include <string_view>

/// Between the protocol's messages and tensors.
namespace infoscissors::rpc {

/// A request, and whether its tensors came typed: then the answer's go typed.
struct Decoded {
  wire::Request request;
  bool typed = false;
};

/// Reads a ModelInferRequest. Raw contents stay where they are (`keep` owns `bytes`); the number of tensors, parameters
/// and dimensions is limited before anything is allocated for them. Throws wire::Error(invalid_argument).
Decoded decode(std::string_view bytes, std::shared_ptr<const void> keep);
Decoded decode(const grpc::ByteBuffer& message);

/// A ModelInferResponse; `stream` wraps it as a ModelStreamInferResponse.
grpc::ByteBuffer encode(const wire::Response& response, bool typed, bool stream);

/// A ModelStreamInferResponse that says what went wrong, with the request's id.
grpc::ByteBuffer encode_error(const std::string& message, const std::string& id);

}  // namespace infoscissors::rpc
