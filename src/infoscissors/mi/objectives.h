#pragma once

#include "infoscissors/tensor/torch.h"

/// What critics are trained with: differentiable losses of the scores T(x_i, y_j) of a batch, (B, B) with B >= 2, true
/// pairs on the diagonal. Means over products of the marginals run over the off-diagonal pairs.
namespace infoscissors::mi {

/// ln of the mean of exp T over the off-diagonal pairs; stable.
torch::Tensor batch_log_mean_exp(const torch::Tensor& scores);

/// Minus the NWJ bound, up to its constant: E[exp T] - E_true[T] (Nguyen et al. 2010; Poole et al. 2019, equation (7)).
torch::Tensor nwj_loss(const torch::Tensor& scores);

/// E[exp T] / average - E_true[T]. With `average` the batch's own E[exp T] its gradient is that of minus the
/// Donsker-Varadhan bound; a moving average over batches removes the gradient's bias (Belghazi et al. 2018, section
/// 3.2). `average` > 0 is a constant.
torch::Tensor mine_loss(const torch::Tensor& scores, double average);

/// The Jensen-Shannon objective that SMILE's critic is trained with: E_true[sp(-T)] + E[sp(T)], sp(t) = ln(1 + exp t)
/// (Song and Ermon 2020, section 4).
torch::Tensor jensen_shannon_loss(const torch::Tensor& scores);

}  // namespace infoscissors::mi
