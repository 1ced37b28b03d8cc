#pragma once

#include "infoscissors/tensor/torch.h"

#include <cstdint>

/// The pieces of the sampled variational contrastive log-ratio upper bound (vCLUB-S; Cheng et al., "CLUB: A
/// Contrastive Log-ratio Upper Bound of Mutual Information", ICML 2020, section 3.3) as the defence uses them while it
/// trains. They are differentiable in every tensor argument; all values are in nats.
///
/// vCLUB-S is an upper bound of the mutual information in expectation where q equals the true conditional, or where
/// KL(p(a, b) || q(a|b) p(b)) <= KL(p(a) p(b) || q(a|b) p(b)) (theorem 3.2 there); for an arbitrary q it is neither an
/// upper nor a lower bound and may be negative.
namespace infoscissors::mi {

/// log q(target | .) of a Gaussian with the given mean and identity covariance, averaged (not summed) over the elements
/// of each sample: -1/2 mean_e (target_e - mean_e)^2. The constant -1/2 ln(2 pi), which cancels in every difference, is
/// dropped. Values are nats per element: times Q, the elements of a sample, they are nats.
/// target, mean: (B, ...) of one shape, any range -> (B).
torch::Tensor gaussian_log_likelihood(const torch::Tensor& target, const torch::Tensor& mean);

/// log q(label | .) of the softmax of the logits. logits: (B, K), labels: (B) int64 in [0, K) -> (B), <= 0.
torch::Tensor categorical_log_likelihood(const torch::Tensor& logits, const torch::Tensor& labels);

/// mean(log_q_positive) - mean(log_q_negative), a scalar. The first holds log q(a_i | b_i) of the true pairs, the
/// second log q(a_k | b_i) with k drawn by random_targets; both (B).
torch::Tensor vclub_sampled(const torch::Tensor& log_q_positive, const torch::Tensor& log_q_negative);

/// The random index k'_i of each sample: `count` independent uniform draws from [0, count), as the bound is written.
/// An index may equal i (with probability 1/count) and may repeat; a permutation would couple the draws and, at small
/// batches, change what the term estimates. On the generator's device. -> (count) int64. count >= 1.
torch::Tensor random_targets(std::int64_t count, torch::Generator& generator);

}  // namespace infoscissors::mi
