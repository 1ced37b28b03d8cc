#pragma once

#include "infoscissors/attack/view.h"

#include <cstdint>
#include <string>

namespace infoscissors::attack {

/// The device as one attack may use it: counts the images it was asked about and refuses more than the attack's
/// declared budget. Attacks query through it and never through the view directly.
class QueryMeter {
 public:
  /// Throws Error if the view grants no queries. The view must outlive the meter.
  QueryMeter(const BlackBoxView& view, std::string attack, std::int64_t budget);

  /// (B, C, H, W) in [0, 1] -> r as the device sends it, float32 on the view's device, without a graph. Throws Error,
  /// and asks nothing, once the budget would be exceeded.
  torch::Tensor operator()(const torch::Tensor& images);

  std::int64_t used() const { return used_; }

 private:
  const BlackBoxView& view_;
  std::string attack_;
  std::int64_t budget_;
  std::int64_t used_ = 0;
};

}  // namespace infoscissors::attack
