#pragma once

#include "infoscissors/base/json.h"

#include <string>

namespace infoscissors::base {

/// The version and the commit this binary was built from; "unknown" outside a checkout, "-dirty" behind a commit
/// whose tree was changed.
std::string version();
std::string commit();

/// Processor, cores this process may use, memory, operating system and compiler.
Json describe_machine();

/// Cores this process may run on (affinity and control group respected), at least 1.
int available_cores();

}  // namespace infoscissors::base
