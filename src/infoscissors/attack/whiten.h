#pragma once

#include "infoscissors/tensor/torch.h"

#include <cstdint>

namespace infoscissors::attack {

/// Rotates vectors to the principal directions of a sample and gives each unit variance, so that a defence which hides
/// the labels in a direction of little variance, across channels that all look busy, gains nothing. Directions whose
/// spread float32 does not resolve beside the largest are left out. Needs no labels: the server holds all vectors.
class Whitener {
 public:
  /// sample: (N, D), any range, N >= 2.
  explicit Whitener(const torch::Tensor& sample);

  /// (B, D) -> (B, directions): zero mean, unit covariance on the sample.
  torch::Tensor apply(const torch::Tensor& vectors) const;

  std::int64_t directions() const { return map_.size(1); }

 private:
  torch::Tensor mean_;  // (D) float32
  torch::Tensor map_;   // (D, directions) float32
};

}  // namespace infoscissors::attack
