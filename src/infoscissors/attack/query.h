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

/// v as the server returns it for r, flat: (B, ...) any range -> (B, D) float32 on the view's device, without a graph.
torch::Tensor features_of(const NoQueryView& view, const torch::Tensor& representations);

/// The mean of `times` independent draws, which divides the variance of zero-mean noise by `times`.
torch::Tensor mean_of(std::int64_t times, const std::function<torch::Tensor()>& draw);

/// The mean of `times` observations of what is attacked: the one that the view holds and times - 1 more. Throws Error
/// if more is wanted and the view grants none.
Observation observe(const NoQueryView& seen, const Observe& again, const std::string& attack, std::int64_t times);

/// Features of `images` from the device's answers, (draws, B, D): draw i of an image is the mean over `average`
/// answers. Costs draws * average queries an image.
torch::Tensor labelled_features(const BlackBoxView& view, QueryMeter& query, const torch::Tensor& images,
                                std::int64_t draws, std::int64_t average);

}  // namespace infoscissors::attack
