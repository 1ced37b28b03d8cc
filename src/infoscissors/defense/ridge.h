#pragma once

#include "infoscissors/tensor/torch.h"

#include <cstdint>

namespace infoscissors::defense {

/// An attacker in closed form: kernel ridge regression of the classes on standardised features.
struct RidgeAttacker {
  bool whiten = false;  // decorrelates the batch's features first, so that directions of little variance count as well
  bool rbf = true;      // exp(-|a - b|^2 / (2 D)); otherwise linear, <a, b> / D
  double ridge = 1.0;   // added to the kernel's diagonal, whose mean is about 1
};

/// How much of the classes an attacker with `known` labelled features predicts of the others: the share of their
/// variance that is explained, 1 all, 0 none (chance), below 0 misled. The first `known` of the batch, at most two
/// thirds, are what it knows. `feature`: (B, D), B >= 2; `labels`: (B) in [0, classes). Scalar, differentiable in
/// `feature`.
torch::Tensor explained_share(const torch::Tensor& feature, const torch::Tensor& labels, std::int64_t classes,
                              std::int64_t known, const RidgeAttacker& attacker);

}  // namespace infoscissors::defense
