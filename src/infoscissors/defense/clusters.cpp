#include "infoscissors/defense/clusters.h"

#include <cmath>
#include <limits>

namespace infoscissors::defense {
namespace {

constexpr double kLargestShare = 0.99;  // of the batch in a variance (Xia et al., published code)

}  // namespace

Clusters::Clusters(std::int64_t classes, std::int64_t per_class, std::int64_t elements, const torch::Device& device)
    : classes_(classes), per_class_(per_class) {
  const auto options = torch::TensorOptions(torch::kFloat32).device(device);
  const auto all = classes * per_class;
  centres_ = torch::zeros({all, elements}, options);
  shift_sums_ = torch::zeros({all, elements}, options);
  for (auto* sums : {&counts_, &variances_, &square_sums_, &tallies_}) *sums = torch::zeros({all}, options);
  filled_ = torch::zeros({classes}, torch::kInt64);
  epochs_ = torch::zeros({}, torch::kInt64);
}

torch::Tensor Clusters::assign(const torch::Tensor& samples, const torch::Tensor& labels) const {
  const torch::NoGradGuard no_grad;
  const auto squares = centres_.square().sum(1);
  // Without the sample's own square, which does not change the order.
  const auto distances = (squares - 2 * samples.matmul(centres_.t())).view({-1, classes_, per_class_});
  const auto rows = labels.view({-1, 1, 1}).expand({-1, 1, per_class_});
  const auto own = distances.gather(1, rows).squeeze(1);
  const auto filled = filled_.to(labels.device()).index_select(0, labels).unsqueeze(1);
  const auto empty = torch::arange(per_class_, labels.options()).unsqueeze(0).ge(filled);
  return labels * per_class_ + own.masked_fill(empty, std::numeric_limits<double>::infinity()).argmin(1);
}

void Clusters::seed(const torch::Tensor& samples, const torch::Tensor& labels) {
  auto filled = filled_.accessor<std::int64_t, 1>();
  const auto own = labels.cpu();
  const auto label = own.accessor<std::int64_t, 1>();
  for (std::int64_t i = 0; i < own.size(0); ++i) {
    auto& count = filled[label[i]];
    if (count < per_class_) centres_[label[i] * per_class_ + count++].copy_(samples[i]);
  }
}

void Clusters::observe(const torch::Tensor& samples, const torch::Tensor& labels) {
  const torch::NoGradGuard no_grad;
  if (filled_.lt(per_class_).any().item<bool>()) seed(samples, labels);
  const auto index = assign(samples, labels);
  const auto shifts = samples - centres_.index_select(0, index);
  shift_sums_.index_add_(0, index, shifts);
  square_sums_.index_add_(0, index, shifts.square().mean(1));
  tallies_.index_add_(0, index, torch::ones_like(index, tallies_.options()));
}

void Clusters::end_epoch() {
  const torch::NoGradGuard no_grad;
  const auto met = tallies_.gt(0);
  const auto divisor = tallies_.clamp_min(1);
  const auto shift = shift_sums_ / divisor.unsqueeze(1);  // 0 where no image came: the centre stays
  centres_ += shift;
  counts_.copy_(tallies_);
  variances_.copy_((square_sums_ / divisor - shift.square().mean(1)).clamp_min(0) * met);
  for (auto* sums : {&shift_sums_, &square_sums_, &tallies_}) sums->zero_();
  epochs_ += 1;
}

bool Clusters::ready() const {
  return epochs_.item<std::int64_t>() > 0;
}

std::map<std::string, torch::Tensor> Clusters::state() const {
  return {{"centres", centres_},         {"counts", counts_},   {"variances", variances_}, {"shift_sums", shift_sums_},
          {"square_sums", square_sums_}, {"tallies", tallies_}, {"filled", filled_},       {"epochs", epochs_}};
}

torch::Tensor cluster_entropy(const Clusters& clusters, const torch::Tensor& samples, const torch::Tensor& labels,
                              const EntropyOptions& options) {
  const auto index = clusters.assign(samples, labels);
  const auto distances = (samples - clusters.centres().index_select(0, index)).square().mean(1);
  const auto& counts = clusters.counts();
  const auto met = torch::zeros_like(counts).index_add(0, index, torch::ones_like(distances));
  const auto batch = torch::zeros_like(counts).index_add(0, index, distances) / met.clamp_min(1);
  const auto share = (options.mixing * met / counts.clamp_min(1)).clamp_max(kLargestShare);
  const auto variance = share * batch + (1 - share) * clusters.variances();
  const auto limit = std::log(options.threshold * options.scale * options.scale + options.offset);
  const auto excess = torch::relu((variance + options.offset).log() - limit);
  const auto of_class = counts.view({clusters.classes(), clusters.per_class()});
  const auto weights = (of_class / of_class.sum(1, true).clamp_min(1)).flatten() * met.gt(0);
  const auto classes = met.view_as(of_class).sum(1).gt(0).sum();
  return (weights * excess).sum() / classes;
}

}  // namespace infoscissors::defense
