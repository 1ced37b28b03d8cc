#pragma once

#include <string>

namespace infoscissors::client {

/// Throws UsageError unless it is HOST:PORT, [IPV6]:PORT or unix:PATH.
void check_address(const std::string& address);

/// Whether what is sent there stays on this machine.
bool is_local(const std::string& address);

}  // namespace infoscissors::client
