#pragma once

#include "infoscissors/tensor/torch.h"

#include <gtest/gtest.h>

#include <functional>

namespace infoscissors::mi::testing_gradient {

/// Central differences in double precision against autograd. at: float64.
inline void expect_gradient(const std::function<torch::Tensor(const torch::Tensor&)>& function,
                            const torch::Tensor& at) {
  auto leaf = at.clone().requires_grad_(true);
  function(leaf).backward();
  const auto gradient = leaf.grad().flatten();
  constexpr double kStep = 1e-5;
  for (std::int64_t i = 0; i < at.numel(); ++i) {
    auto up = at.clone();
    auto down = at.clone();
    up.view(-1)[i] += kStep;
    down.view(-1)[i] -= kStep;
    const double slope = (function(up).item<double>() - function(down).item<double>()) / (2 * kStep);
    EXPECT_NEAR(gradient[i].item<double>(), slope, 1e-7) << "element " << i;
  }
}

}  // namespace infoscissors::mi::testing_gradient
