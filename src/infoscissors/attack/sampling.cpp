#include "infoscissors/attack/sampling.h"

#include "infoscissors/base/error.h"
#include "infoscissors/tensor/device.h"

#include <algorithm>
#include <tuple>
#include <vector>

namespace infoscissors::attack {
namespace {

torch::Tensor permutation(const NoQueryView& view, std::int64_t size) {
  auto generator = tensor::make_generator(torch::kCPU, view.seed, "auxiliary");
  return torch::randperm(size, generator, torch::kInt64);
}

void check_size(const NoQueryView& view, const std::string& attack, const char* option, std::int64_t wanted) {
  const std::int64_t there = view.auxiliary.images.defined() ? view.auxiliary.images.size(0) : 0;
  if (wanted > there) {
    throw base::UsageError("[{}] {} is {}, but the auxiliary set holds {} images: lower it or raise [data] auxiliary",
                           attack, option, wanted, there);
  }
}

}  // namespace

torch::Tensor draw_images(const NoQueryView& view, const std::string& attack, std::int64_t budget) {
  check_size(view, attack, "budget", budget);
  const auto& images = view.auxiliary.images;
  return images.index_select(0, permutation(view, images.size(0)).slice(0, 0, budget).to(images.device()));
}

Labelled draw_labelled(const NoQueryView& view, const std::string& attack, std::int64_t count) {
  check_size(view, attack, "labels", count);
  const auto order = permutation(view, view.auxiliary.labels.size(0));
  const auto shuffled = view.auxiliary.labels.cpu().index_select(0, order);
  std::vector<std::int64_t> seen(static_cast<std::size_t>(view.classes), 0);
  std::vector<std::tuple<std::int64_t, std::int64_t, std::int64_t>> places;  // rank, position, label
  for (std::int64_t i = 0; i < shuffled.size(0); ++i) {
    const auto label = shuffled.data_ptr<std::int64_t>()[i];
    if (label < 0 || label >= view.classes) {
      throw base::Error("[{}] the auxiliary set has the label {}, outside [0, {})", attack, label, view.classes);
    }
    places.emplace_back(seen[static_cast<std::size_t>(label)]++, i, label);
  }
  std::sort(places.begin(), places.end());
  std::vector<std::int64_t> chosen, labels, ranks;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto& [rank, position, label] = places[static_cast<std::size_t>(i)];
    chosen.push_back(order[position].item<std::int64_t>());
    labels.push_back(label);
    ranks.push_back(rank);
  }
  const auto& images = view.auxiliary.images;
  return {images.index_select(0, torch::tensor(chosen, torch::kInt64).to(images.device())),
          torch::tensor(labels, torch::kInt64).to(view.device), torch::tensor(ranks, torch::kInt64)};
}

}  // namespace infoscissors::attack
