#pragma once

#include "infoscissors/serve/core.h"
#include "infoscissors/wire/error.h"

#include <grpcpp/grpcpp.h>

#include <optional>

namespace infoscissors::rpc {

/// The common name of the certificate and the connection's other end. Nothing a client can write into a header counts.
serve::Caller caller_of(const grpc::ServerContextBase& context);

/// The deadline that the client set, if it did.
std::optional<serve::Clock::time_point> deadline_of(const grpc::ServerContextBase& context);

grpc::Status status_of(wire::Code code, const std::string& message);

}  // namespace infoscissors::rpc
