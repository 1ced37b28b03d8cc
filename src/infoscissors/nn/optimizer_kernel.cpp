#include "infoscissors/nn/optimizer_kernel.h"

#include "infoscissors/nn/loops.h"

#include <ATen/Parallel.h>

#include <cmath>
#include <cstdint>

namespace infoscissors::nn::kernel {
namespace {

constexpr std::int64_t kParametersAThread = 1 << 15;  // elements below which another thread does not pay

}  // namespace

void sgd(const torch::Tensor& values, const torch::Tensor& gradients, const torch::Tensor& momenta, double factor,
         double decay, double rate) {
  auto *v = values.data_ptr<float>(), *g = gradients.data_ptr<float>(), *m = momenta.data_ptr<float>();
  at::parallel_for(0, values.numel(), kParametersAThread, [&](std::int64_t begin, std::int64_t end) {
    sgd_loop(v + begin, g + begin, m + begin, end - begin, static_cast<float>(factor), static_cast<float>(decay),
             static_cast<float>(rate));
  });
}

void adam(const torch::Tensor& values, const torch::Tensor& gradients, const torch::Tensor& first,
          const torch::Tensor& second, const AdamStep& step) {
  const AdamConstants constants{.beta1 = static_cast<float>(step.beta1),
                                .rest1 = static_cast<float>(1 - step.beta1),
                                .beta2 = static_cast<float>(step.beta2),
                                .rest2 = static_cast<float>(1 - step.beta2),
                                .epsilon = static_cast<float>(step.epsilon),
                                .decay = static_cast<float>(step.decay),
                                .rate = static_cast<float>(step.rate / step.correction1),
                                .root2 = static_cast<float>(std::sqrt(step.correction2))};
  auto *v = values.data_ptr<float>(), *g = gradients.data_ptr<float>();
  auto *m = first.data_ptr<float>(), *s = second.data_ptr<float>();
  at::parallel_for(0, values.numel(), kParametersAThread, [&](std::int64_t begin, std::int64_t end) {
    adam_loop(v + begin, g + begin, m + begin, s + begin, end - begin, constants);
  });
}

}  // namespace infoscissors::nn::kernel
