#pragma once

#include "infoscissors/base/options.h"
#include "infoscissors/data/dataset.h"
#include "infoscissors/defense/defense.h"
#include "infoscissors/nn/split_model.h"
#include "infoscissors/tensor/device.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace infoscissors::ranks {
class Group;
}

namespace infoscissors::train {

struct TrainOptions {
  std::int64_t epochs = 8;
  std::int64_t batch = 64;
  std::string optimizer = "sgd";
  double rate = 0.05;
  double momentum = 0.9;
  double weight_decay = 5e-4;
  std::string schedule = "cosine";
  double warmup = 0.0;            // epochs of linearly rising learning rate
  std::int64_t step_epochs = 30;  // schedule "step": every so many epochs ...
  double step_factor = 0.1;       // ... the rate is multiplied by this
  double clip = 0.0;              // largest gradient norm; 0: no limit
  std::int64_t crop = 0;          // augmentation: random crop after padding by so many pixels
  bool flip = false;              // augmentation: mirror left and right at random
  base::Fields fields();
};

/// What training works on. References must outlive the call.
struct Subject {
  nn::SplitModel& model;
  defense::Defense& defense;
  const data::Dataset& dataset;
  const data::Splits& splits;
  bool frozen = false;  // the network is trained already and stays as it is; only the defence's own parts learn
  const ranks::Group* group = nullptr;  // the processes that train this one network together; null: this one alone
};

struct EpochLog {
  std::int64_t epoch = 0;                // 1-based
  std::map<std::string, double> values;  // loss, train_accuracy, validation_accuracy, rate, and the defence's figures
  std::vector<std::string> warnings;
};

struct TrainLog {
  std::vector<EpochLog> epochs;
  double seconds = 0;  // of computation, over all resumed pieces
};

/// Where the state is kept between processes.
struct CheckpointPlace {
  std::filesystem::path file;  // empty: none is written
  std::string config_hash;     // a checkpoint with another hash is refused
};

/// What a server that does not follow the protocol multiplies each coordinate of its own update by, from the momentum
/// buffers of the encoder's parameters after this step and (unscaled) after the step before. Empty: it is honest.
using ServerFactor = std::function<torch::Tensor(const torch::Tensor& now, const torch::Tensor& before)>;

/// Trains from where the checkpoint stands (or from the start) to the last epoch: one forward pass of head and encoder
/// a step, the defence's adversaries, the weighted cross-entropy plus penalties, one step of the main optimiser (Duan
/// et al. 2024, algorithm 1). The state is saved after every epoch and on an interrupt, in the middle of an epoch if
/// need be; on one thread in fp32 a resumed training ends bit for bit like an undisturbed one. Of a frozen network no
/// weight and no running mean changes, and without epochs the checkpoint is just written. `on_epoch` is called after
/// each epoch. The ranks of a group share every batch and end with the network of one process, up to rounding; rank 0
/// alone reads and writes the checkpoint. `server` touches the encoder's updates alone. Throws Interrupted after
/// saving; Error when the loss is not finite; UsageError for a foreign checkpoint.
TrainLog train(const Subject& subject, const TrainOptions& options, const tensor::Runtime& runtime, std::uint64_t seed,
               const CheckpointPlace& place, const std::function<void(const EpochLog&)>& on_epoch,
               const ServerFactor& server = {});

/// The learning rate at `epoch` (fractional, from 0).
double learning_rate(const TrainOptions& options, double epoch);

/// Accuracy and mean cross-entropy (nats) of the device's classifier behind the released r and v.
struct Evaluation {
  double accuracy = 0;
  double cross_entropy = 0;
  torch::Tensor predictions;  // (N) int64, CPU
};
Evaluation evaluate(const Subject& subject, const torch::Tensor& indices, const tensor::Runtime& runtime,
                    std::uint64_t seed);

/// What crosses the wire for the images at `indices`: r and v as released while serving, on the CPU.
struct Exposed {
  torch::Tensor representations;  // (N, ...)
  torch::Tensor features;         // (N, ...)
};
Exposed expose(const Subject& subject, const torch::Tensor& indices, const tensor::Runtime& runtime,
               std::uint64_t seed);

}  // namespace infoscissors::train
