#include "infoscissors/defense/noise.h"

namespace infoscissors::defense {
namespace {

torch::TensorOptions float_on(const torch::Device& device) {
  return torch::TensorOptions(torch::kFloat32).device(device);
}

}  // namespace

base::Constraint noise_kind() {
  return base::one_of({"gaussian", "laplace"});
}

torch::Tensor unit_laplace(torch::IntArrayRef sizes, const torch::Device& device, torch::Generator& generator) {
  // The difference of two exponentials: no logarithm of a uniform draw that might be 0.
  const auto exponential = [&] { return torch::empty(sizes, float_on(device)).exponential_(1, generator); };
  const auto positive = exponential();
  return positive - exponential();
}

torch::Tensor unit_noise(const std::string& kind, const torch::Tensor& like, torch::Generator& generator) {
  if (kind == "laplace") return unit_laplace(like.sizes(), like.device(), generator);
  return torch::randn(like.sizes(), generator, float_on(like.device()));
}

}  // namespace infoscissors::defense
