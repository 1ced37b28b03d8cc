#pragma once

#include "infoscissors/experiment/config.h"

namespace infoscissors::experiment {

/// A run on the generated pictures that takes a second and computes the same everywhere.
inline RunConfig tiny_config() {
  RunConfig config;
  config.data.name = "synthetic";
  config.data.channels = 1;
  config.data.train = 96;
  config.data.auxiliary = 100;
  config.data.validation = 40;
  config.data.test = 80;
  config.model.width = 0.25;
  config.runtime.threads = 1;
  config.runtime.precision = "fp32";  // bf16 rounds differently for each batch size
  return config;
}

}  // namespace infoscissors::experiment
