#pragma once

#include "infoscissors/tensor/torch.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace infoscissors::attack {

/// How candidates are written down: as pixels, or as the weights of a generator.
struct Parametrisation {
  /// The parameters of `count` candidates, one for each image, at the start-th start; each tensor (count, ...).
  std::function<std::vector<torch::Tensor>(std::int64_t start, std::int64_t count)> draw;
  /// The candidates that M parameters stand for, (M, ...) in [0, 1], differentiable.
  std::function<torch::Tensor(const std::vector<torch::Tensor>& parameters)> images;
  /// Brings parameters back into their range after a step; without a graph. Empty: they have none.
  std::function<void(const std::vector<torch::Tensor>& parameters)> project;
};

struct SearchOptions {
  std::int64_t steps = 2000;
  double rate = 1e-2;
  double tolerance = 0.02;   // share by which an objective must fall from window to window; 0: all steps are made
  std::int64_t window = 50;  // steps
  std::int64_t starts = 1;   // a candidate of every start for every image, all in one batch
  std::int64_t judged = 1;   // evaluations of the objective that are averaged to choose among the starts
};

/// What is known of each image when the search ends.
struct Found {
  torch::Tensor images;     // (N, ...) in [0, 1]
  torch::Tensor objective;  // (N)
  torch::Tensor start;      // (N) int64: which start won
  std::int64_t steps = 0;
};

/// The objective of each candidate, (M), from the candidates (M, ...) and the image that each one is for, (M) int64.
using Objective = std::function<torch::Tensor(const torch::Tensor& images, const torch::Tensor& owner)>;

/// Minimises the objective over the parameters by AMSGrad (Reddi et al. 2018; Adam's customary constants) for `count`
/// images from several starts at once, and keeps for each image the start with the lowest objective: the one thing
/// that an attacker can compare. A candidate whose objective is flat and not its image's lowest is given up; the search
/// ends when nothing but flat or fitted candidates is left. Throws Interrupted once the person asked to stop.
Found search(const std::string& attack, const Parametrisation& parametrisation, const Objective& objective,
             std::int64_t count, const SearchOptions& options);

/// The candidates are images of `shape` themselves, projected to [0, 1]. The first start is mid-grey, for it is nearest
/// to every image; the others are, in turn, noise and an even colour drawn for each image, for a ReLU that is silent at
/// mid-grey passes no gradient there.
Parametrisation pixels(const std::vector<std::int64_t>& shape, const torch::Device& device, torch::Generator generator);

}  // namespace infoscissors::attack
