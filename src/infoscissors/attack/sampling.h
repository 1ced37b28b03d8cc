#pragma once

#include "infoscissors/attack/view.h"
#include "infoscissors/tensor/torch.h"

#include <cstdint>
#include <string>

namespace infoscissors::attack {

/// `budget` different auxiliary images drawn uniformly from the attack's seed, (budget, C, H, W). No label is read.
/// Throws UsageError naming what is there if the auxiliary set is smaller.
torch::Tensor draw_images(const NoQueryView& view, const std::string& attack, std::int64_t budget);

/// The only labels an attack sees.
struct Labelled {
  torch::Tensor images;  // (L, C, H, W)
  torch::Tensor labels;  // (L) int64, round robin over the classes: sample i is the (rank i)-th of its class
  torch::Tensor rank;    // (L) int64, the sample's number within its class, ascending
};

/// `count` auxiliary images with their labels, as equally many of each class as the auxiliary set allows, drawn from
/// the attack's seed. Stands for the attacker labelling a balanced handful by hand (Fu et al. 2022, section 5.1): the
/// choice looks at classes, but no label beyond the chosen ones leaves this function. Throws UsageError if the
/// auxiliary set is smaller, Error for a label outside [0, classes).
Labelled draw_labelled(const NoQueryView& view, const std::string& attack, std::int64_t count);

}  // namespace infoscissors::attack
