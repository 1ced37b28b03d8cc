#pragma once

namespace infoscissors::base {

/// Makes SIGINT and SIGTERM set a flag that long work polls; a second signal ends the process at once.
void install_interrupt_handler();

bool interrupt_requested();

}  // namespace infoscissors::base
