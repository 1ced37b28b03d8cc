#include "infoscissors/mi/club.h"

#include "infoscissors/base/error.h"

namespace infoscissors::mi {

using base::Error;

torch::Tensor gaussian_log_likelihood(const torch::Tensor& target, const torch::Tensor& mean) {
  // Broadcasting would turn a forgotten dimension into a plausible number.
  if (target.sizes() != mean.sizes() || target.dim() < 1) {
    throw Error("[mi] target {} and mean {} must have one shape (B, ...)", fmt::join(target.sizes(), "x"),
                fmt::join(mean.sizes(), "x"));
  }
  const auto squared = (target - mean).square();
  return -0.5 * (squared.dim() == 1 ? squared : squared.flatten(1).mean(1));
}

torch::Tensor categorical_log_likelihood(const torch::Tensor& logits, const torch::Tensor& labels) {
  if (logits.dim() != 2 || labels.dim() != 1 || logits.size(0) != labels.size(0)) {
    throw Error("[mi] logits must be (B, K) and labels (B), got {} and {}", fmt::join(logits.sizes(), "x"),
                fmt::join(labels.sizes(), "x"));
  }
  return torch::log_softmax(logits, 1).gather(1, labels.unsqueeze(1)).squeeze(1);
}

torch::Tensor vclub_sampled(const torch::Tensor& log_q_positive, const torch::Tensor& log_q_negative) {
  return log_q_positive.mean() - log_q_negative.mean();
}

torch::Tensor random_targets(std::int64_t count, torch::Generator& generator) {
  if (count < 1) throw Error("[mi] random targets need at least one sample, got {}", count);
  return torch::randint(count, {count}, generator, torch::TensorOptions(torch::kInt64).device(generator.device()));
}

}  // namespace infoscissors::mi
