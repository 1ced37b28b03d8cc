#pragma once

#include "infoscissors/client/transport.h"

#include <filesystem>
#include <memory>

namespace infoscissors::device {

/// A server's half in this process instead of a server: the same network without a wire, to compare with. It checks and
/// decodes requests as a server does and takes any version that is its own. Throws Error as Device does.
std::shared_ptr<client::Transport> open_local(const std::filesystem::path& half);

}  // namespace infoscissors::device
