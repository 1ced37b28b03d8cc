#include "infoscissors/attack/query.h"

#include "infoscissors/attack/fit.h"
#include "infoscissors/base/error.h"

#include <utility>
#include <vector>

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
  auto answer = view_.query(images).detach().to(view_.device, torch::kFloat32);
  if (answer.dim() < 2 || answer.size(0) != images.size(0)) {
    throw Error("[{}] the device answered {} images with a tensor of shape ({})", attack_, images.size(0),
                fmt::join(answer.sizes().vec(), ", "));
  }
  return answer;
}

torch::Tensor features_of(const NoQueryView& view, const torch::Tensor& representations) {
  return in_slices(representations, view.device, [&](const torch::Tensor& r) {
    const auto v = view.encoder.forward(r);
    return (view.release_feature ? view.release_feature(v) : v).flatten(1).to(torch::kFloat32);
  });
}

torch::Tensor mean_of(std::int64_t times, const std::function<torch::Tensor()>& draw) {
  auto sum = draw();
  for (std::int64_t i = 1; i < times; ++i) sum = sum + draw();
  return times == 1 ? sum : sum / static_cast<double>(times);
}

Observation observe(const NoQueryView& seen, const Observe& again, const std::string& attack, std::int64_t times) {
  if (times > 1 && !again)
    throw Error("[{}] needs to see its victims several times, which this view does not grant", attack);
  auto representations = seen.representations.to(torch::kFloat32), features = seen.features.to(torch::kFloat32);
  for (std::int64_t i = 1; i < times; ++i) {
    const auto next = again();
    representations = representations + next.representations.to(representations.device());
    features = features + next.features.to(features.device());
  }
  return {representations / static_cast<double>(times), features / static_cast<double>(times)};
}

torch::Tensor labelled_features(const BlackBoxView& view, QueryMeter& query, const torch::Tensor& images,
                                std::int64_t draws, std::int64_t average) {
  std::vector<torch::Tensor> all;
  for (std::int64_t i = 0; i < draws; ++i)
    all.push_back(mean_of(average, [&] { return features_of(view, query(images)); }));
  return torch::stack(all);
}

}  // namespace infoscissors::attack
