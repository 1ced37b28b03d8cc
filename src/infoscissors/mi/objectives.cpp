#include "infoscissors/mi/objectives.h"

#include <cmath>
#include <limits>

namespace infoscissors::mi {
namespace {

double off_diagonal_count(const torch::Tensor& scores) {
  const auto n = static_cast<double>(scores.size(0));
  return n * (n - 1);
}

}  // namespace

torch::Tensor batch_log_mean_exp(const torch::Tensor& scores) {
  const auto diagonal = torch::eye(scores.size(0), scores.options().dtype(torch::kBool));
  const auto off = scores.masked_fill(diagonal, -std::numeric_limits<double>::infinity());
  return off.flatten().logsumexp(0) - std::log(off_diagonal_count(scores));
}

torch::Tensor nwj_loss(const torch::Tensor& scores) {
  return batch_log_mean_exp(scores).exp() - scores.diagonal().mean();
}

torch::Tensor mine_loss(const torch::Tensor& scores, double average) {
  return batch_log_mean_exp(scores).exp() / average - scores.diagonal().mean();
}

torch::Tensor jensen_shannon_loss(const torch::Tensor& scores) {
  const auto positive = scores.diagonal();
  const auto negative = (torch::softplus(scores).sum() - torch::softplus(positive).sum()) / off_diagonal_count(scores);
  return torch::softplus(-positive).mean() + negative;
}

}  // namespace infoscissors::mi
