#include "infoscissors/base/error.h"
#include "infoscissors/data/dataset.h"

#include <cmath>

namespace infoscissors::data {

ChannelStatistics channel_statistics(const Dataset& dataset, const torch::Tensor& indices) {
  if (indices.numel() == 0) throw base::Error("the mean and deviation of no images of {} were asked for", dataset.name);
  const std::int64_t channels = dataset.images.size(1);
  // Counting the 256 values is exact whatever the number of images and their order; chunks bound the memory.
  auto counts = torch::zeros({channels, 256}, torch::kInt64);
  for (const auto& chunk : indices.split(2048)) {
    const auto images = dataset.images.index_select(0, chunk);
    for (std::int64_t c = 0; c < channels; ++c) counts[c] += torch::bincount(images.select(1, c).flatten(), {}, 256);
  }
  const auto values = torch::arange(256, torch::kFloat64) / 255;
  const auto shares = counts.to(torch::kFloat64) / counts.sum(1, true);
  const auto mean = (shares * values).sum(1);
  const auto deviation = (shares * (values.unsqueeze(0) - mean.unsqueeze(1)).square()).sum(1).sqrt();
  ChannelStatistics statistics;
  for (std::int64_t c = 0; c < channels; ++c) {
    statistics.mean.push_back(mean[c].item<double>());
    statistics.std.push_back(deviation[c].item<double>());
  }
  return statistics;
}

}  // namespace infoscissors::data
