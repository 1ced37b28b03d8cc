#pragma once

#include "infoscissors/train/train.h"

#include <map>
#include <string>

namespace infoscissors::tests {

/// A small training that starts the same in every process. Its 62 images make batches of 20, which three ranks cannot
/// share evenly, and a last one of 2, of which some ranks have none.
struct Training {
  data::DataOptions data_options;
  data::Dataset dataset;
  data::Splits splits;
  nn::SplitModel model;
  defense::DefensePtr defense;
  tensor::Runtime runtime;
  train::TrainOptions options;
  std::uint64_t seed;

  explicit Training(const std::string& spec, std::uint64_t seed = 5, bool bf16 = false);
  train::TrainLog run(const ranks::Group* group, const train::CheckpointPlace& place = {},
                      const std::function<void(const train::EpochLog&)>& on_epoch = {});
  /// Parameters, running statistics and the defence's own networks.
  std::map<std::string, torch::Tensor> state();
};

/// Of every kind: none, noise, networks of its own, penalties over the batch, clusters, gradients.
inline const char* const kDefences[] = {
    "none",
    "infoscissors(input=0.3,prediction=0.2,psi_width=4)",
    "infoscissors(input=0.3,prediction=0.2,psi=res,psi_width=4,update=simultaneous,guard=3,input_floor=1,push="
    "squared)",
    "mid(site=both)",
    "nopeek(site=both)",
    "cem(clusters=2)",
    "an(scale=0.3)+dropout(probability=0.2)",
    "an-adv",
    "shredder",
    "dp(noise=gaussian,clip=9)+dc(site=gradient)",
};

}  // namespace infoscissors::tests
