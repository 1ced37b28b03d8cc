#pragma once

#include "infoscissors/tensor/torch.h"

#include <optional>

namespace infoscissors::defense {

/// The mean of a figure over the steps of an epoch. It is summed on the device and read once, at the epoch's end; the
/// sums belong into the defence's state(), so that an epoch may be interrupted.
class EpochMean {
 public:
  void start(const torch::Device& device) {
    sums = torch::zeros({2}, torch::TensorOptions(torch::kFloat64).device(device));
  }
  void add(const torch::Tensor& value) {
    const auto plain = value.detach().to(torch::kFloat64);
    sums += torch::stack({plain, torch::ones_like(plain)});
  }
  /// Empty where nothing was added; starts anew.
  std::optional<double> take() {
    const auto read = sums.to(torch::kCPU, /*non_blocking=*/false, /*copy=*/true);
    sums.zero_();
    const double count = read[1].item<double>();
    return count > 0 ? std::optional(read[0].item<double>() / count) : std::nullopt;
  }

  torch::Tensor sums;  // (2) float64: sum, count
};

}  // namespace infoscissors::defense
