#pragma once

#include "infoscissors/client/transport.h"

#include <memory>
#include <string>

namespace infoscissors::bench {

/// REST with binary tensors to HOST:PORT, one connection that is kept, without TLS. Needs libcurl: throws Error in a
/// build that lacks it.
std::shared_ptr<client::Transport> connect_rest(const std::string& server);

}  // namespace infoscissors::bench
