#pragma once

#include "infoscissors/attack/attack.h"
#include "infoscissors/attack/search.h"
#include "infoscissors/base/options.h"

#include "infoscissors/tensor/torch.h"

#include <cstdint>
#include <functional>
#include <string>

namespace infoscissors::attack {

/// Total variation with squared differences (He et al. 2019, equation 4 with beta = 2), each direction averaged over
/// its differences so that the weight means the same at every image size. images: (B, C, ...) -> (B); every dimension
/// behind the channel is a direction. A side of one pixel contributes nothing.
torch::Tensor total_variation(const torch::Tensor& images);

/// x -> r, differentiable, (B, ...) each.
using Represent = std::function<torch::Tensor(const torch::Tensor& images)>;

/// The objective of regularised maximum likelihood, one value an image, (B):
///     mean (represent(x') - target)^2 + tv * TV(x') + l2 * mean x'^2
/// images: (B, ...) in [0, 1]; represent(images) and target: (B, ...) of one shape. A sum of it gives each image
/// the gradient that it would have alone.
torch::Tensor rmle_objective(const torch::Tensor& images, const Represent& represent, const torch::Tensor& target,
                             double tv, double l2);

struct RmleOptions {
  std::int64_t steps = 2000;
  double rate = 1e-2;
  double tv = 0;
  double l2 = 0;
  double tolerance = 0.02;
  std::int64_t window = 50;
  std::int64_t starts = 4;

  base::Fields fields();
};

/// The options of attacks that may send the candidate through the device's perturbation.
struct ReleaseOptions : RmleOptions {
  bool release = false;
  std::int64_t draws = 1;

  base::Fields fields();
  /// What the candidate is compared as: the head's r, or with `release` the mean of `draws` fresh perturbations of it.
  Represent represent(const WhiteBoxView& view) const;
  std::int64_t judged() const;  // evaluations that compare starts: several where the objective is random
};

/// Searches the images whose representations are those received, (N, ...), standardised per channel by the received
/// ones, in groups as large as memory allows. `parametrise` makes a group's candidates; by default pixels. Answers
/// mid-grey where every channel is constant. Random streams are named after the attack and the group. Finished groups
/// are kept in the view's notebook.
Outcome invert_by_search(const std::string& attack, const NoQueryView& view, const torch::Tensor& received,
                         const Represent& represent, const RmleOptions& options, std::int64_t judged,
                         const std::function<Parametrisation(std::uint64_t group)>& parametrise = {});

}  // namespace infoscissors::attack
