#include "infoscissors/attack/query.h"

#include "infoscissors/base/error.h"

#include <utility>

namespace infoscissors::attack {

using base::Error;

QueryMeter::QueryMeter(const BlackBoxView& view, std::string attack, std::int64_t budget)
    : view_(view), attack_(std::move(attack)), budget_(budget) {
  if (!view.query) throw Error("[{}] needs to query the device, which this view does not grant", attack_);
}

torch::Tensor QueryMeter::operator()(const torch::Tensor& images) {
  if (used_ + images.size(0) > budget_) {
    throw Error("[{}] asked for {} queries, {} more than its budget of {}", attack_, used_ + images.size(0),
                used_ + images.size(0) - budget_, budget_);
  }
  used_ += images.size(0);
  const torch::NoGradGuard no_grad;
  const auto answer = view_.query(images).detach().to(view_.device, torch::kFloat32);
  if (answer.dim() < 2 || answer.size(0) != images.size(0)) {
    throw Error("[{}] the device answered {} images with a tensor of shape ({})", attack_, images.size(0),
                fmt::join(answer.sizes().vec(), ", "));
  }
  return answer;
}

}  // namespace infoscissors::attack
