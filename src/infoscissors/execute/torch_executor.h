#pragma once

#include "infoscissors/serve/model.h"

#include <string>

/// The networks of a server's half, run by libtorch.
namespace infoscissors::execute {

struct Options {
  int threads = 0;  // of one operation; 0: every core
  bool bf16 = false;
};

/// Loads encoder.pt (TorchScript) after its hash was checked. The executors run in inference mode.
serve::ExecutorFactory torch_executor(Options options);

}  // namespace infoscissors::execute
