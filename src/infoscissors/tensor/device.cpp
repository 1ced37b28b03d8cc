#include "infoscissors/tensor/device.h"

#include "infoscissors/base/error.h"
#include "infoscissors/base/machine.h"
#include "infoscissors/base/random.h"
#include "infoscissors/tensor/compat.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>

#include <limits>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace infoscissors::tensor {
namespace {

using base::UsageError;

torch::Device parse_device(const std::string& text) {
  const bool cuda = torch::cuda::is_available();
  if (text == "auto") return cuda ? torch::Device(torch::kCUDA, 0) : torch::Device(torch::kCPU);
  if (text == "cpu") return torch::kCPU;
  if (text != "cuda" && !text.starts_with("cuda:"))
    throw UsageError("device must be auto, cpu, cuda or cuda:N, got '{}'", text);
  if (!cuda)
    throw UsageError("device '{}' was asked for, but this libtorch sees no CUDA device; use cpu or auto", text);
  const std::string digits = text == "cuda" ? "0" : text.substr(5);
  const bool numeric =
      !digits.empty() && digits.size() < 4 && digits.find_first_not_of("0123456789") == std::string::npos;
  const int index = numeric ? std::stoi(digits) : -1;
  const auto count = static_cast<int>(torch::cuda::device_count());
  if (index < 0 || index >= count)
    throw UsageError("device '{}' is not there: {} CUDA device(s) are visible", text, count);
  return {torch::kCUDA, static_cast<c10::DeviceIndex>(index)};
}

bool parse_precision(const std::string& text, const torch::Device& device) {
  if (text == "auto") return has_bf16(device);
  if (text == "bf16") return true;
  if (text == "fp32") return false;
  throw UsageError("precision must be auto, fp32 or bf16, got '{}'", text);
}

/// Freed memory stays with the process: a training step frees and takes the same blocks again and again, and the kernel
/// clears each one that it hands out anew, for a sixth of a step's time.
void keep_freed_memory() {
#if defined(__GLIBC__)
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
#endif
}

}  // namespace

bool has_bf16(const torch::Device& device) {
  if (device.is_cuda()) return true;  // every device a current libtorch supports computes bf16, natively from 8.0 on
#if defined(__x86_64__)
  // The product instruction, not the AVX-512 base: without it bf16 is emulated and slower than fp32.
  return __builtin_cpu_supports("avx512bf16") != 0;
#else
  return false;
#endif
}

Runtime make_runtime(const std::string& device, const std::string& precision, std::int64_t threads) {
  Runtime runtime;
  runtime.device = parse_device(device);
  runtime.bf16 = parse_precision(precision, runtime.device);
  if (threads < 0) throw UsageError("threads must be >= 0 (0: every core), got {}", threads);
  runtime.threads = threads > 0 ? static_cast<int>(threads) : base::available_cores();
  at::set_num_threads(runtime.threads);
  keep_freed_memory();
  return runtime;
}

Autocast::Autocast(const Runtime& runtime) : device_(runtime.device), active_(runtime.bf16) {
  if (active_) compat::set_autocast(device_.type(), true);
}

Autocast::~Autocast() {
  if (!active_) return;
  compat::set_autocast(device_.type(), false);
  at::autocast::clear_cache();
}

Generator make_generator(const torch::Device& device, std::uint64_t seed, std::string_view stream,
                         std::uint64_t index) {
  const std::uint64_t derived = base::derive_seed(seed, stream, index);
  if (device.is_cpu()) return at::detail::createCPUGenerator(derived);
  Generator generator = at::globalContext().defaultGenerator(device).clone();
  generator.set_current_seed(derived);
  return generator;
}

std::string libtorch_version() {
  return TORCH_VERSION;
}

}  // namespace infoscissors::tensor
