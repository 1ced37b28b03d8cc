#include "benchmarks/speed/bench.h"
#include "infoscissors/base/error.h"
#include "infoscissors/tensor/device.h"

#include <chrono>
#include <functional>

namespace infoscissors::speed {
namespace {

constexpr std::int64_t kSide = 4096;
constexpr std::int64_t kBytes = std::int64_t{1} << 28;

class CeilingWork final : public Work {
 public:
  explicit CeilingWork(std::function<void()> work) : work_(std::move(work)) {}
  double run() override {
    const torch::NoGradGuard no_grad;
    const auto begin = std::chrono::steady_clock::now();
    work_();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  }

 private:
  std::function<void()> work_;
};

}  // namespace

std::unique_ptr<Work> make_ceiling_work(const std::string& name, const Options& options) {
  const auto config = make_config(options);
  const auto runtime = tensor::make_runtime(config.runtime.device, config.runtime.precision, config.runtime.threads);
  if (name == "matmul") {
    const auto of = torch::TensorOptions(runtime.bf16 ? torch::kBFloat16 : torch::kFloat32).device(runtime.device);
    const auto a = torch::rand({kSide, kSide}, of), b = torch::rand({kSide, kSide}, of);
    auto c = torch::empty({kSide, kSide}, of);
    return std::make_unique<CeilingWork>([a, b, c]() mutable { torch::mm_out(c, a, b); });
  }
  if (name == "copy") {
    const auto from = torch::ones({kBytes / 4}), to = torch::zeros({kBytes / 4});
    return std::make_unique<CeilingWork>([from, to] { to.copy_(from); });
  }
  throw base::UsageError("there is no ceiling '{}': matmul, copy", name);
}

}  // namespace infoscissors::speed
