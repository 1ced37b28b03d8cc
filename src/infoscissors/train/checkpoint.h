#pragma once

#include "infoscissors/defense/defense.h"
#include "infoscissors/nn/optimizer.h"
#include "infoscissors/nn/split_model.h"
#include "infoscissors/train/train.h"

#include "infoscissors/tensor/torch.h"

#include <cstdint>

namespace infoscissors::train {

/// Where a training stands. Everything random is derived from (seed, epoch, step), so no generator is stored.
struct Position {
  std::int64_t epoch = 0;  // epochs finished
  std::int64_t step = 0;   // steps finished of the next one
  torch::Tensor sums;      // running sums of the unfinished epoch
  TrainLog log;
};

/// Writes network, defence, optimiser and position as one safetensors file, atomically.
void save_checkpoint(const CheckpointPlace& place, const Subject& subject, const nn::Optimizer& optimizer,
                     const Position& position);

/// Restores them. Returns false where there is no file. Throws UsageError for a checkpoint of another configuration or
/// a newer version, Error for a damaged one; nothing is changed in that case before the file has been read whole.
bool load_checkpoint(const CheckpointPlace& place, const Subject& subject, nn::Optimizer& optimizer,
                     Position& position);

/// Makes every rank's network, defence, optimiser and position rank 0's (its log aside).
void share_state(const ranks::Group& group, const Subject& subject, nn::Optimizer& optimizer, Position& position);

/// Restores only network and defence, for evaluation and attacks. Throws Error where there is no finished checkpoint.
void load_trained(const CheckpointPlace& place, const Subject& subject, std::int64_t epochs);

}  // namespace infoscissors::train
