#pragma once

#include "infoscissors/tensor/fwd.h"

#include "infoscissors/tensor/torch.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace infoscissors::tensor {

/// Where and how tensors are computed.
struct Runtime {
  torch::Device device = torch::kCPU;
  bool bf16 = false;  // autocast of convolutions and matrix products
  int threads = 1;
};

/// `device`: "auto" (a CUDA device where there is one), "cpu", "cuda" or "cuda:N". `precision`: "fp32", "bf16" or
/// "auto" (bf16 where processor or GPU compute with it). `threads`: 0 takes every core this process may use; libtorch's
/// own default would be one. Sets libtorch's thread count. Throws UsageError for a device that is not there.
Runtime make_runtime(const std::string& device, const std::string& precision, std::int64_t threads);

/// Whether the device multiplies bf16 natively (AVX-512 BF16 or AMX; compute capability 8.0).
bool has_bf16(const torch::Device& device);

/// While it lives, the operations autocast knows run in bf16 if the runtime says so. Drop it before backward().
class Autocast {
 public:
  explicit Autocast(const Runtime& runtime);
  ~Autocast();
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;

 private:
  torch::Device device_;
  bool active_;
};

/// A generator on `device` seeded for one stream, see base::derive_seed.
Generator make_generator(const torch::Device& device, std::uint64_t seed, std::string_view stream,
                         std::uint64_t index = 0);

/// Libtorch's version, e.g. "1.13.1".
std::string libtorch_version();

}  // namespace infoscissors::tensor
