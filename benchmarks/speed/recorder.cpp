#include "benchmarks/speed/recorder.h"

#include "benchmarks/speed/bench.h"

namespace infoscissors::speed {

void Recorder::update_adversary(const defense::Step& step) {
  // Before the first draw: the seed alone then tells what the generator will give.
  seeds_.push_back(seed_tensor(step.generator.current_seed()));
  inner_.update_adversary(step);
}

torch::Tensor Recorder::penalty(const defense::Step& step) {
  const auto value = inner_.penalty(step);
  images_.push_back(step.images.detach().clone());
  labels_.push_back(step.labels);
  epochs_.push_back(torch::tensor(step.epoch, torch::kFloat64));
  cross_entropies_.push_back(step.cross_entropy.detach().clone());
  penalties_.push_back(value.defined() ? value.detach().clone() : torch::zeros({}));
  return value;
}

void Recorder::put(tensor::TensorFile& file) const {
  file.tensors["step.images"] = torch::stack(images_).contiguous();
  file.tensors["step.labels"] = torch::stack(labels_);
  file.tensors["step.seed"] = torch::stack(seeds_);
  file.tensors["step.epoch"] = torch::stack(epochs_);
  file.tensors["step.cross_entropy"] = torch::stack(cross_entropies_).to(torch::kFloat32);
  file.tensors["step.penalty"] = torch::stack(penalties_).to(torch::kFloat32);
}

}  // namespace infoscissors::speed
