#pragma once

#include "infoscissors/attack/attack.h"
#include "infoscissors/experiment/workbench.h"
#include "infoscissors/train/train.h"

#include "infoscissors/tensor/torch.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

namespace infoscissors::experiment {

/// What the server is shown: which network, which images pass through it, and the seed of the attack.
struct Sight {
  std::shared_ptr<Workbench> bench;
  train::Exposed exposed;  // what crossed the wire for the images at `indices`
  torch::Tensor indices;
  std::uint64_t seed = 0;
  attack::Notebook notebook = {};
};

/// A notebook in one file, written atomically with every page. What was written for another `identity`, or cannot be
/// read, is begun anew.
attack::Notebook open_notebook(const std::filesystem::path& file, const std::string& identity);

/// What one threat model grants of it, for each of the views of attack/view.h. A view owns copies: nothing an attack
/// does reaches the network, and neither images nor labels of `indices` are in it. Where the server sees its victims
/// again, the device processes them again behind a function that returns only what crosses the wire.
template <class View>
View make_view(const Sight& sight);

/// The network that results when the server trains with the attack's factor: the same configuration and seed in every
/// other respect. Kept in `directory` beside the honest one, so that it is trained once and goes on where it was
/// interrupted.
std::shared_ptr<Workbench> train_with(const attack::ActiveAttack& attack, const RunConfig& config,
                                      const std::filesystem::path& directory);

}  // namespace infoscissors::experiment
