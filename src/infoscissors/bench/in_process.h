#pragma once

#include "infoscissors/client/transport.h"
#include "infoscissors/serve/core.h"

#include <memory>

namespace infoscissors::bench {

/// The server's core in this process, called without a protocol: what the runtime costs before anything is on a wire.
std::shared_ptr<client::Transport> connect_in_process(serve::Core& core);

}  // namespace infoscissors::bench
