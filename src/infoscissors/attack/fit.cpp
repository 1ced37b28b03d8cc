#include "infoscissors/attack/fit.h"

#include "infoscissors/base/error.h"
#include "infoscissors/base/interrupt.h"
#include "infoscissors/nn/initialise.h"
#include "infoscissors/tensor/device.h"

#include <torch/nn/modules/conv.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>
#include <vector>

namespace infoscissors::attack {
namespace {

constexpr std::int64_t kSlice = 256;

}  // namespace

double cosine_rate(double rate, std::int64_t step, std::int64_t steps) {
  const double progress = static_cast<double>(step) / static_cast<double>(steps);
  return rate * (1 + std::cos(std::numbers::pi * progress)) / 2;
}

BatchStream::BatchStream(std::int64_t size, std::int64_t batch, Generator generator)
    : size_(size), batch_(std::min(batch, size)), generator_(std::move(generator)) {}

torch::Tensor BatchStream::next() {
  const std::int64_t left = order_.defined() ? size_ - at_ : 0;
  if (left == 0 || (left == 1 && size_ > 1)) {
    order_ = torch::randperm(size_, generator_, torch::kInt64);
    at_ = 0;
  }
  const auto end = std::min(at_ + batch_, size_);
  return order_.slice(0, std::exchange(at_, end), end);
}

std::int64_t BatchStream::per_pass() const {
  const std::int64_t batches = (size_ + batch_ - 1) / batch_;
  return size_ > 1 && size_ % batch_ == 1 ? batches - 1 : batches;
}

void initialise(torch::nn::Module& module, std::uint64_t seed, const std::string& stream) {
  nn::initialise(module, tensor::make_generator(torch::kCPU, seed, stream));
  const torch::NoGradGuard no_grad;
  for (const auto& part : module.modules()) {
    auto* conv = part->as<torch::nn::Conv2dImpl>();
    if (conv == nullptr || conv->weight.size(0) >= conv->weight.size(1)) continue;
    conv->weight.mul_(std::sqrt(static_cast<double>(conv->weight.size(0)) / static_cast<double>(conv->weight.size(1))));
  }
}

torch::Tensor in_slices(const torch::Tensor& input, const torch::Device& device,
                        const std::function<torch::Tensor(const torch::Tensor&)>& map) {
  const torch::NoGradGuard no_grad;
  std::vector<torch::Tensor> parts;
  for (const auto& part : input.split(kSlice)) parts.push_back(map(part.to(device, torch::kFloat32)));
  return torch::cat(parts);
}

std::map<std::string, torch::Tensor> snapshot(const torch::nn::Module& module) {
  const torch::NoGradGuard no_grad;
  auto state = nn::state_of(module);
  for (auto& [name, tensor] : state) tensor = tensor.detach().clone();
  return state;
}

void stop_if_interrupted(const std::string& attack) {
  if (base::interrupt_requested())
    throw base::Interrupted("{}: interrupted; nothing of this attack was recorded", attack);
}

}  // namespace infoscissors::attack
