#pragma once

#include "infoscissors/data/dataset.h"

#include "infoscissors/tensor/torch.h"

#include <cstdint>
#include <optional>

namespace infoscissors::data {

struct Batch {
  torch::Tensor images;  // (B, C, H, W) float32 in [0, 1], channels-last
  torch::Tensor labels;  // (B) int64
};

/// The images at `indices`, as they are.
Batch gather(const Dataset& dataset, const torch::Tensor& indices, const torch::Device& device);

struct AugmentOptions {
  std::int64_t pad = 0;  // random crop after zero padding by so many pixels; 0: none
  bool flip = false;     // mirror left and right with probability 1/2
};

/// One epoch's batches over `indices`, shuffled and augmented from (seed, epoch) alone, so that any batch can be made
/// again without its predecessors.
class EpochBatches {
 public:
  /// The last batch may be smaller; one of a single image is dropped, for batch norm cannot train on it.
  EpochBatches(const Dataset& dataset, torch::Tensor indices, std::int64_t batch, AugmentOptions augment,
               std::uint64_t seed, std::int64_t epoch, torch::Device device);

  std::int64_t count() const;
  Batch get(std::int64_t index) const;

 private:
  const Dataset& dataset_;
  torch::Tensor order_;
  std::int64_t batch_;
  AugmentOptions augment_;
  std::uint64_t seed_;
  std::int64_t epoch_;
  torch::Device device_;
};

/// Whole-batch augmentation: every image gets its own crop offset and mirroring, in one indexing operation.
torch::Tensor augment(const torch::Tensor& images, const AugmentOptions& options, torch::Generator generator);

}  // namespace infoscissors::data
