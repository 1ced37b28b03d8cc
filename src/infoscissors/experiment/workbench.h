#pragma once

#include "infoscissors/data/dataset.h"
#include "infoscissors/defense/defense.h"
#include "infoscissors/experiment/config.h"
#include "infoscissors/nn/split_model.h"
#include "infoscissors/tensor/device.h"
#include "infoscissors/train/train.h"

#include "infoscissors/tensor/torch.h"

#include <memory>

namespace infoscissors::experiment {

/// Everything a configuration stands for, built and ready: data, splits, network, defence.
struct Workbench {
  RunConfig config;
  tensor::Runtime runtime;
  data::Dataset dataset;
  data::Splits splits;
  nn::ModelTask task;
  nn::SplitModel model;
  defense::DefensePtr defense;

  std::uint64_t seed() const { return static_cast<std::uint64_t>(config.seed); }
  /// A network that came from another run is not trained any further.
  train::Subject subject() { return {model, *defense, dataset, splits, !config.model_from.empty()}; }
  /// The epochs of its training: none where nothing is left to learn.
  std::int64_t epochs() const;
};

inline constexpr const char* kCheckpoint = "checkpoint.safetensors";  // of every run directory

/// Loads the data and draws the splits and the initial weights from the seed.
std::shared_ptr<Workbench> make_workbench(const RunConfig& config);

/// What its defence must fit.
defense::Context defense_context(const Workbench& bench);

/// A network of the same architecture with weights drawn from (seed, stream).
nn::SplitModel fresh_model(const Workbench& bench, std::uint64_t seed, std::string_view stream);

}  // namespace infoscissors::experiment
