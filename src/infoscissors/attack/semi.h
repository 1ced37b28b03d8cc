#pragma once

#include "infoscissors/base/options.h"
#include "infoscissors/nn/layer.h"

#include "infoscissors/tensor/torch.h"

#include <cstdint>
#include <functional>

/// Semi-supervised training in the manner of MixMatch (Berthelot et al. 2019), as Fu et al. 2022 use it (section 4.1).
namespace infoscissors::attack {

struct SemiOptions {
  std::int64_t steps = 600;
  std::int64_t batch = 64;
  double temperature = 0.8;
  double alpha = 0.75;
  double consistency = 50;
  double average = 0.999;
  double jitter = 0.1;

  base::Fields fields();  // named semi_...
};

/// p^(1/T) renormalised; lowers the entropy for T < 1. p: (B, K) probabilities.
torch::Tensor sharpen(const torch::Tensor& probabilities, double temperature);

/// One draw of max(l, 1 - l) with l ~ Beta(alpha, alpha).
double mixing_share(double alpha, torch::Generator generator);

/// Share of the consistency weight at `step`: rises linearly from 0 to 1.
double ramp_up(std::int64_t step, std::int64_t steps);

/// Soft-label cross-entropy of the first rows, nats, plus `weight` times the squared error of the other rows'
/// probabilities, averaged over rows and classes. logits, targets: (labelled + unlabelled, K).
torch::Tensor mixmatch_loss(const torch::Tensor& logits, const torch::Tensor& targets, std::int64_t labelled,
                            double weight);

/// Trains `net` and leaves in it the running average of its weights. features: (draws, L, D) standardised, labels: (L);
/// unlabelled: (N, D). `look(step)` is called every `every` steps while the averaged weights are in place.
void fit_semi(nn::Layer& net, const torch::Tensor& features, const torch::Tensor& labels, std::int64_t classes,
              const torch::Tensor& unlabelled, double rate, double decay, std::int64_t steps,
              const SemiOptions& options, torch::Generator generator, std::int64_t every,
              const std::function<void(std::int64_t step)>& look);

}  // namespace infoscissors::attack
