#pragma once

#include "infoscissors/tensor/torch.h"

#include <cstdint>

namespace infoscissors::attack {

/// Per-channel standardisation by the statistics of a sample that the attacker holds, so that a defence which merely
/// shrinks, shifts or silences channels gains nothing. Dimension 1 is the channel, of maps (N, C, H, W) as of vectors
/// (N, D). A channel is dead when its spread is below what float32 resolves at its level; no absolute threshold is
/// used, for any fixed one would be a scale under which signal could hide.
class Standardizer {
 public:
  /// sample: (N, C, ...), any range, N >= 1. Throws Error for an empty sample or values that are not finite.
  explicit Standardizer(const torch::Tensor& sample);

  /// (B, C, ...) -> (B, live, ...): zero mean and unit variance on the sample, dead channels removed.
  torch::Tensor live_only(const torch::Tensor& tensor) const;

  /// (B, C, ...) -> (B, C, ...): the same with dead channels set to zero, for networks that expect every channel.
  torch::Tensor all(const torch::Tensor& tensor) const;

  std::int64_t live() const { return index_.size(0); }
  std::int64_t dead() const { return mean_.size(0) - index_.size(0); }

 private:
  torch::Tensor mean_;   // (C) float32
  torch::Tensor scale_;  // (C) float32: 1 / std, 0 where dead
  torch::Tensor index_;  // (live) int64
};

}  // namespace infoscissors::attack
