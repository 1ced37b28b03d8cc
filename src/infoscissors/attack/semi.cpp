#include "infoscissors/attack/semi.h"

#include "infoscissors/attack/fit.h"
#include "infoscissors/nn/optimizer.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace infoscissors::attack {
namespace {

torch::Tensor jittered(const torch::Tensor& features, double scale, torch::Generator& generator) {
  if (scale == 0) return features;
  return features + scale * torch::randn(features.sizes().vec(), generator).to(features.device());
}

/// The running average of weights (Tarvainen and Valpola 2017): w' <- d w' + (1 - d) w, with d rising to `target`, for
/// a short training would otherwise end at an average that still remembers the first weights.
class Average {
 public:
  Average(std::vector<torch::Tensor> weights, double target) : weights_(std::move(weights)), target_(target) {
    for (const auto& weight : weights_) averages_.push_back(weight.detach().clone());
  }

  void update() {
    const torch::NoGradGuard no_grad;
    const double t = static_cast<double>(++updates_);
    const double keep = std::min(target_, (1 + t) / (10 + t));
    for (std::size_t i = 0; i < weights_.size(); ++i) averages_[i].mul_(keep).add_(weights_[i], 1 - keep);
  }

  // Exchanges weights and averages.
  void swap() {
    const torch::NoGradGuard no_grad;
    for (std::size_t i = 0; i < weights_.size(); ++i) {
      const auto kept = weights_[i].detach().clone();
      weights_[i].copy_(averages_[i]);
      averages_[i].copy_(kept);
    }
  }

 private:
  std::vector<torch::Tensor> weights_, averages_;
  double target_;
  std::int64_t updates_ = 0;
};

struct Mixture {
  torch::Tensor inputs, targets;
};

// The labelled batch, and the unlabelled one twice with guessed labels, mixed with a permutation of themselves.
Mixture mix(nn::Layer& net, const torch::Tensor& inputs, const torch::Tensor& one_hot, const torch::Tensor& unlabelled,
            const SemiOptions& options, torch::Generator& generator) {
  const torch::NoGradGuard no_grad;
  const auto first = jittered(unlabelled, options.jitter, generator);
  const auto second = jittered(unlabelled, options.jitter, generator);
  const auto mean = (net.forward(first).softmax(1) + net.forward(second).softmax(1)) / 2;
  const auto guess = sharpen(mean, options.temperature);
  const auto all = torch::cat({jittered(inputs, options.jitter, generator), first, second});
  const auto targets = torch::cat({one_hot, guess, guess});
  const double share = mixing_share(options.alpha, generator);
  const auto other = torch::randperm(all.size(0), generator, torch::kInt64).to(all.device());
  return {share * all + (1 - share) * all.index_select(0, other),
          share * targets + (1 - share) * targets.index_select(0, other)};
}

}  // namespace

base::Fields SemiOptions::fields() {
  return {
      {"semi_steps", &steps, base::at_least(10), "semi: most steps"},
      {"semi_batch", &batch, base::at_least(2), "semi: labelled and unlabelled features a step"},
      {"semi_temperature", &temperature, base::greater_than(0), "semi: temperature that sharpens guessed labels"},
      {"semi_alpha", &alpha, base::greater_than(0), "semi: shares of mixtures are drawn from Beta(alpha, alpha)"},
      {"semi_consistency", &consistency, base::at_least(0), "semi: weight of the unlabelled term once it has risen"},
      {"semi_average", &average, base::half_open(0, 1), "semi: decay of the running average of weights"},
      {"semi_jitter", &jitter, base::at_least(0), "semi: noise on a feature, in its standard deviations"},
  };
}

torch::Tensor sharpen(const torch::Tensor& probabilities, double temperature) {
  const auto powers = probabilities.pow(1 / temperature);
  return powers / powers.sum(1, true);
}

double mixing_share(double alpha, torch::Generator generator) {
  const auto gamma = torch::_standard_gamma(torch::full({2}, alpha, torch::kFloat64), generator);
  const double sum = gamma.sum().item<double>();
  const double share = sum > 0 ? gamma[0].item<double>() / sum : 0.5;
  return std::max(share, 1 - share);
}

double ramp_up(std::int64_t step, std::int64_t steps) {
  return std::clamp(static_cast<double>(step) / static_cast<double>(steps), 0.0, 1.0);
}

torch::Tensor mixmatch_loss(const torch::Tensor& logits, const torch::Tensor& targets, std::int64_t labelled,
                            double weight) {
  const auto rows = logits.size(0);
  auto supervised = -(logits.slice(0, 0, labelled).log_softmax(1) * targets.slice(0, 0, labelled)).sum(1).mean();
  if (labelled == rows) return supervised;
  const auto error = logits.slice(0, labelled).softmax(1) - targets.slice(0, labelled);
  return supervised + weight * error.square().mean();
}

void fit_semi(nn::Layer& net, const torch::Tensor& features, const torch::Tensor& labels, std::int64_t classes,
              const torch::Tensor& unlabelled, double rate, double decay, std::int64_t steps,
              const SemiOptions& options, torch::Generator generator, std::int64_t every,
              const std::function<void(std::int64_t step)>& look) {
  nn::Optimizer optimizer(net.parameters(), {.rule = nn::Rule::adam, .weight_decay = decay});
  Average average(net.parameters(), options.average);
  BatchStream known(labels.size(0), options.batch, generator), unknown(unlabelled.size(0), options.batch, generator);
  const auto one_hot = torch::one_hot(labels, classes).to(torch::kFloat32);
  for (std::int64_t step = 1; step <= steps; ++step) {
    const auto index = known.next().to(labels.device()), others = unknown.next().to(labels.device());
    const auto inputs = features[step % features.size(0)].index_select(0, index);
    const auto mixed =
        mix(net, inputs, one_hot.index_select(0, index), unlabelled.index_select(0, others), options, generator);
    optimizer.zero_grad();
    // The weight rises over the whole training that was asked for, whichever step it may end at.
    const double weight = options.consistency * ramp_up(step, options.steps);
    mixmatch_loss(net.forward(mixed.inputs), mixed.targets, index.size(0), weight).backward();
    optimizer.step(rate);
    average.update();
    if (step % every != 0) continue;
    average.swap();
    look(step);
    average.swap();
  }
  average.swap();
}

}  // namespace infoscissors::attack
