#pragma once

#include "infoscissors/defense/defense.h"
#include "infoscissors/tensor/file.h"

#include <vector>

namespace infoscissors::speed {

/// Passes every hook on to another defence and notes what each step saw and gave: the only way to look into a training
/// without changing it.
class Recorder : public defense::Defense {
 public:
  explicit Recorder(defense::Defense& inner) : inner_(inner) {}

  torch::Tensor release(const torch::Tensor& exposed, defense::Site site, defense::Phase phase,
                        torch::Generator& generator, const torch::Tensor& images) override {
    return inner_.release(exposed, site, phase, generator, images);
  }
  void update_adversary(const defense::Step& step) override;
  torch::Tensor penalty(const defense::Step& step) override;
  double task_weight(const defense::Step& step) const override { return inner_.task_weight(step); }
  void finish_step() override { inner_.finish_step(); }
  EpochReport end_epoch() override { return inner_.end_epoch(); }
  std::vector<torch::Tensor> trained_parameters() override { return inner_.trained_parameters(); }

  /// "step.images" (S, B, C, H, W), "step.labels" (S, B), "step.seed", "step.epoch", "step.cross_entropy",
  /// "step.penalty" (S).
  void put(tensor::TensorFile& file) const;

 private:
  defense::Defense& inner_;
  std::vector<torch::Tensor> images_, labels_, seeds_, epochs_, cross_entropies_, penalties_;
};

}  // namespace infoscissors::speed
