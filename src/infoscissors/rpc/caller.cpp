#include "infoscissors/rpc/caller.h"

#include <grpc/grpc_security_constants.h>
#include <grpcpp/security/auth_context.h>

namespace infoscissors::rpc {
namespace {

/// "ipv4:127.0.0.1:5000" and "ipv6:%5B::1%5D:5000" without scheme and escapes.
std::string address_of(const std::string& peer) {
  const auto colon = peer.find(':');
  std::string text = colon == std::string::npos ? peer : peer.substr(colon + 1);
  for (const auto& [escape, plain] : {std::pair{"%5B", "["}, std::pair{"%5D", "]"}}) {
    const auto at = text.find(escape);
    if (at != std::string::npos) text.replace(at, 3, plain);
  }
  return text;
}

}  // namespace

serve::Caller caller_of(const grpc::ServerContextBase& context) {
  serve::Caller caller{.device = {}, .address = address_of(context.peer()), .protocol = "grpc"};
  const auto identity = context.auth_context();
  if (!identity || !identity->IsPeerAuthenticated()) return caller;
  const auto names = identity->FindPropertyValues(GRPC_X509_CN_PROPERTY_NAME);
  if (names.size() == 1) caller.device = {names[0].data(), names[0].size()};
  return caller;
}

std::optional<serve::Clock::time_point> deadline_of(const grpc::ServerContextBase& context) {
  const auto deadline = context.deadline();
  if (deadline == std::chrono::system_clock::time_point::max()) return std::nullopt;
  const auto left = deadline - std::chrono::system_clock::now();
  // Years ahead would overflow nothing here, but mean the same as no deadline.
  if (left > std::chrono::hours(24)) return std::nullopt;
  return serve::Clock::now() + std::chrono::duration_cast<serve::Clock::duration>(left);
}

grpc::Status status_of(wire::Code code, const std::string& message) {
  if (code == wire::Code::ok) return grpc::Status::OK;
  return {static_cast<grpc::StatusCode>(wire::grpc_status(code)), message};
}

}  // namespace infoscissors::rpc
