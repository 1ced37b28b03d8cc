#include "infoscissors/metric/classification.h"

#include "infoscissors/base/error.h"

namespace infoscissors::metric {

double accuracy(const torch::Tensor& predicted, const torch::Tensor& truth) {
  using base::Error;
  if (!predicted.defined() || !truth.defined()) throw Error("[metric/accuracy] a label tensor is missing");
  if (predicted.dim() != 1 || truth.dim() != 1) {
    throw Error("[metric/accuracy] labels must be vectors, got {} and {} dimensions", predicted.dim(), truth.dim());
  }
  if (predicted.scalar_type() != torch::kInt64 || truth.scalar_type() != torch::kInt64) {
    throw Error("[metric/accuracy] labels must be int64, got {} and {}", c10::toString(predicted.scalar_type()),
                c10::toString(truth.scalar_type()));
  }
  if (predicted.size(0) != truth.size(0)) {
    throw Error("[metric/accuracy] there are {} predictions for {} labels", predicted.size(0), truth.size(0));
  }
  if (truth.size(0) == 0) throw Error("[metric/accuracy] there are no labels to compare");
  const auto correct = predicted.to(truth.device()).eq(truth).sum().item<std::int64_t>();
  return static_cast<double>(correct) / static_cast<double>(truth.size(0));
}

}  // namespace infoscissors::metric
