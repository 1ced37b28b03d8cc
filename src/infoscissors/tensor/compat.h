#pragma once

#include <torch/version.h>
#include "infoscissors/tensor/torch.h"

#include <ATen/autocast_mode.h>

/// The differences between libtorch 1.13 and 2.x, all of them.
namespace infoscissors::tensor::compat {

#define INFOSCISSORS_TORCH_AT_LEAST(major, minor) \
  (TORCH_VERSION_MAJOR > (major) || (TORCH_VERSION_MAJOR == (major) && TORCH_VERSION_MINOR >= (minor)))

inline void set_autocast(c10::DeviceType device, bool enabled) {
#if INFOSCISSORS_TORCH_AT_LEAST(2, 4)
  at::autocast::set_autocast_enabled(device, enabled);
  if (enabled) at::autocast::set_autocast_dtype(device, at::kBFloat16);
#else
  if (device == c10::DeviceType::CUDA) {
    at::autocast::set_enabled(enabled);
    if (enabled) at::autocast::set_autocast_gpu_dtype(at::kBFloat16);
  } else {
    at::autocast::set_cpu_enabled(enabled);
    if (enabled) at::autocast::set_autocast_cpu_dtype(at::kBFloat16);
  }
#endif
}

}  // namespace infoscissors::tensor::compat
