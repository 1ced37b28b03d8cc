#include "infoscissors/train/train.h"

#include <cmath>
#include <numbers>

namespace infoscissors::train {

base::Fields TrainOptions::fields() {
  using namespace base;
  return {
      {"epochs", &epochs, between(0, 1e6), "passes over the training images"},
      {"batch", &batch, between(2, 65536), "images a step"},
      {"optimizer", &optimizer, one_of({"sgd", "adam"}), "main optimiser"},
      {"rate", &rate, greater_than(0), "learning rate"},
      {"momentum", &momentum, half_open(0, 1), "momentum of sgd"},
      {"weight_decay", &weight_decay, at_least(0), "weight decay, added to the gradient"},
      {"schedule", &schedule, one_of({"constant", "cosine", "step"}), "course of the learning rate"},
      {"warmup", &warmup, at_least(0), "epochs over which the learning rate rises from 0"},
      {"step_epochs", &step_epochs, at_least(1), "schedule step: epochs between reductions"},
      {"step_factor", &step_factor, between(0, 1), "schedule step: factor of a reduction"},
      {"clip", &clip, at_least(0), "largest Euclidean norm of the gradient; 0: no limit"},
      {"crop", &crop, between(0, 64), "augmentation: random crop after padding by so many pixels"},
      {"flip", &flip, any(), "augmentation: mirror left and right at random"},
  };
}

double learning_rate(const TrainOptions& options, double epoch) {
  const double rising = options.warmup > 0 ? std::min(1.0, epoch / options.warmup) : 1.0;
  double factor = 1.0;
  if (options.schedule == "cosine") {
    const double share = epoch / static_cast<double>(std::max<std::int64_t>(1, options.epochs));
    factor = 0.5 * (1 + std::cos(std::numbers::pi * std::min(1.0, share)));
  } else if (options.schedule == "step") {
    factor = std::pow(options.step_factor, std::floor(epoch / static_cast<double>(options.step_epochs)));
  }
  return options.rate * rising * factor;
}

}  // namespace infoscissors::train
