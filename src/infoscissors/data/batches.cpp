#include "infoscissors/data/batches.h"

#include "infoscissors/base/error.h"
#include "infoscissors/base/random.h"
#include "infoscissors/data/shuffle.h"
#include "infoscissors/tensor/device.h"

#include <algorithm>

namespace infoscissors::data {
namespace {

using base::Error;

/// uint8 images and labels at `indices`, moved before they grow to floats.
Batch select(const Dataset& dataset, const torch::Tensor& indices, const torch::Device& device) {
  const auto where = indices.to(dataset.images.device());
  return {dataset.images.index_select(0, where).to(device),
          dataset.labels.index_select(0, where.to(dataset.labels.device())).to(device)};
}

torch::Tensor unit_range(const torch::Tensor& images) {
  return images.to(torch::kFloat32).div_(255).contiguous(torch::MemoryFormat::ChannelsLast);
}

}  // namespace

Batch gather(const Dataset& dataset, const torch::Tensor& indices, const torch::Device& device) {
  Batch batch = select(dataset, indices, device);
  batch.images = unit_range(batch.images);
  return batch;
}

EpochBatches::EpochBatches(const Dataset& dataset, torch::Tensor indices, std::int64_t batch, AugmentOptions augment,
                           std::uint64_t seed, std::int64_t epoch, torch::Device device)
    : dataset_(dataset), batch_(batch), augment_(augment), seed_(seed), epoch_(epoch), device_(device) {
  if (batch_ < 1) throw Error("a batch must have at least 1 image, got {}", batch_);
  const auto shuffled =
      permutation(indices.size(0), base::derive_seed(seed_, "shuffle", static_cast<std::uint64_t>(epoch_)));
  order_ = indices.index_select(0, shuffled);
}

std::int64_t EpochBatches::count() const {
  const std::int64_t images = order_.size(0);
  const bool keep_rest = images % batch_ > 1;
  return images / batch_ + (keep_rest ? 1 : 0);
}

Batch EpochBatches::get(std::int64_t index) const {
  if (index < 0 || index >= count()) throw Error("batch {} was asked for, but the epoch has {}", index, count());
  const std::int64_t begin = index * batch_;
  Batch batch = select(dataset_, order_.narrow(0, begin, std::min(batch_, order_.size(0) - begin)), device_);
  const auto epoch_seed = base::derive_seed(seed_, "augment", static_cast<std::uint64_t>(epoch_));
  const auto generator = tensor::make_generator(torch::kCPU, epoch_seed, "batch", static_cast<std::uint64_t>(index));
  batch.images = data::augment(batch.images, augment_, generator);
  return batch;
}

torch::Tensor augment(const torch::Tensor& images, const AugmentOptions& options, torch::Generator generator) {
  if (options.pad < 0) throw Error("images can be padded by >= 0 pixels, not {}", options.pad);
  const bool bytes = images.scalar_type() == torch::kUInt8;
  if (options.pad == 0 && !options.flip)
    return bytes ? unit_range(images) : images.contiguous(torch::MemoryFormat::ChannelsLast);
  const std::int64_t count = images.size(0);
  const std::int64_t channels = images.size(1);
  const std::int64_t height = images.size(2);
  const std::int64_t width = images.size(3);
  const std::int64_t pad = options.pad;
  // Drawn on the CPU whatever the images' device: the same pictures everywhere, and nothing to wait for.
  const auto device = images.device();
  const auto draw = [&](std::int64_t below) {
    return torch::randint(below, {count, 1}, generator, torch::kInt64).to(device);
  };
  const auto top = draw(2 * pad + 1);
  const auto left = draw(2 * pad + 1);
  const auto mirrored = draw(2).mul(options.flip ? 1 : 0).to(torch::kBool);

  const auto whole = torch::TensorOptions(torch::kInt64).device(device);
  const auto column = torch::arange(width, whole).unsqueeze(0);
  const auto columns = left + torch::where(mirrored, width - 1 - column, column);  // (B, W), in the padded image
  const auto rows = top + torch::arange(height, whole).unsqueeze(0);               // (B, H)
  const std::int64_t padded_height = height + 2 * pad;
  const std::int64_t padded_width = width + 2 * pad;
  const auto first = torch::arange(count, whole).mul_(padded_height).unsqueeze(1);
  const auto index = ((first + rows) * padded_width).unsqueeze(2) + columns.unsqueeze(1);  // (B, H, W), pixel numbers

  auto padded = torch::zeros({count, padded_height, padded_width, channels}, images.options());
  padded.narrow(1, pad, height).narrow(2, pad, width).copy_(images.permute({0, 2, 3, 1}));
  const auto pixels = padded.view({-1, channels}).index_select(0, index.flatten());
  const auto values = pixels.view({count, height, width, channels}).to(torch::kFloat32);
  return (bytes ? values.div(255) : values).permute({0, 3, 1, 2});
}

}  // namespace infoscissors::data
