#include "infoscissors/attack/rmle.h"

#include "infoscissors/attack/attack.h"
#include "infoscissors/attack/fit.h"
#include "infoscissors/attack/standardize.h"
#include "infoscissors/base/error.h"
#include "infoscissors/base/progress.h"

#include <torch/optim/adam.h>

#include <algorithm>
#include <vector>

namespace infoscissors::attack {

torch::Tensor total_variation(const torch::Tensor& images) {
  const auto along = [&](std::int64_t dimension) {
    if (images.size(dimension) < 2) return torch::zeros({images.size(0)}, images.options());
    return images.diff(1, dimension).square().flatten(1).mean(1);
  };
  return along(2) + along(3);
}

torch::Tensor rmle_objective(const torch::Tensor& images,
                             const std::function<torch::Tensor(const torch::Tensor&)>& represent,
                             const torch::Tensor& target, double tv, double l2) {
  auto objective = (represent(images) - target).square().flatten(1).mean(1);
  if (tv > 0) objective = objective + tv * total_variation(images);
  if (l2 > 0) objective = objective + l2 * images.square().flatten(1).mean(1);
  return objective;
}

namespace {

// An objective (in units of the variance of r) below which nothing is left to fit.
constexpr double kFitted = 1e-8;
constexpr std::int64_t kElementsAtOnce = std::int64_t{1} << 23;  // of r; its graph takes a few times 32 MiB

struct RmleOptions {
  std::int64_t steps = 2000;
  double rate = 1e-2;
  double tv = 0;
  double l2 = 0;
  double tolerance = 0.02;
  std::int64_t window = 50;
  bool release = false;

  base::Fields fields() {
    return {
        {"steps", &steps, base::at_least(1), "most optimiser steps"},
        {"rate", &rate, base::greater_than(0), "AMSGrad's learning rate"},
        {"tv", &tv, base::at_least(0), "weight of the total variation; 0 at the first convolution, 10 to 1000 deeper"},
        {"l2", &l2, base::at_least(0), "weight of the mean square of the image"},
        {"tolerance", &tolerance, base::half_open(0, 1),
         "stop once no image's objective fell by this share from one window to the next; 0: never"},
        {"window", &window, base::at_least(1), "steps a window"},
        {"release", &release, base::any(), "send the candidate through the device's perturbation with fresh draws"},
    };
  }
};

// Stops on what the attacker itself minimises. Means over windows, for single values jitter with the step size (and
// with the draws of the defence); the slowest image decides, so that no image is cut short by its company.
class Plateau {
 public:
  Plateau(std::int64_t window, double tolerance) : window_(window), tolerance_(tolerance) {}

  bool reached(const torch::Tensor& objective) {
    if (tolerance_ == 0) return false;
    sum_ = sum_.defined() ? sum_ + objective : objective.clone();
    if (++seen_ % window_ != 0) return false;
    auto done = sum_.lt(kFitted * static_cast<double>(window_));
    if (before_.defined()) done = done.logical_or(sum_.ge(before_ * (1 - tolerance_)));
    before_ = sum_;
    sum_ = torch::Tensor();
    return done.all().item<bool>();
  }

 private:
  std::int64_t window_;
  double tolerance_;
  std::int64_t seen_ = 0;
  torch::Tensor sum_, before_;
};

/// What is known of one group of images when its optimisation ends.
struct Recovered {
  torch::Tensor images, objective;
  std::int64_t steps = 0;
};

/// Regularised maximum likelihood: searches the image whose representation is the one received.
class Rmle final : public WhiteBoxAttack {
 public:
  using Options = RmleOptions;
  explicit Rmle(Options options) : options_(options) {}

  static AttackDoc doc() {
    return {"rmle", "regularised maximum likelihood: the image whose representation fits the received one best",
            "He et al. 2019 (ACSAC), section 4; Duan et al. 2024, section 5", Goal::input};
  }

  Outcome run(const WhiteBoxView& view) const override {
    const auto& received = view.representations;
    const Standardizer standard(received);
    Outcome outcome;
    outcome.details = {{"live_channels", standard.live()}, {"dead_channels", standard.dead()}};
    if (standard.live() == 0) {
      outcome.reconstructions = start(view, received.size(0));
      return outcome;
    }
    const auto chunk = std::max<std::int64_t>(1, kElementsAtOnce / std::max<std::int64_t>(1, received[0].numel()));
    std::vector<torch::Tensor> images, objectives;
    std::int64_t steps = 0;
    for (const auto& part : received.split(chunk)) {
      const auto recovered = recover(view, standard, standard.live_only(part.to(view.device, torch::kFloat32)));
      images.push_back(recovered.images);
      objectives.push_back(recovered.objective);
      steps = std::max(steps, recovered.steps);
    }
    outcome.reconstructions = torch::cat(images);
    outcome.details["steps"] = steps;
    outcome.details["objective"] = torch::cat(objectives).mean().item<double>();
    return outcome;
  }

 private:
  static torch::Tensor start(const WhiteBoxView& view, std::int64_t count) {
    auto sizes = view.image;
    sizes.insert(sizes.begin(), count);
    return torch::full(sizes, 0.5, torch::TensorOptions(torch::kFloat32).device(view.device));
  }

  Recovered recover(const WhiteBoxView& view, const Standardizer& standard, const torch::Tensor& target) const {
    auto images = start(view, target.size(0)).requires_grad_(true);
    torch::optim::Adam optimizer({images}, torch::optim::AdamOptions(options_.rate).amsgrad(true));
    const auto represent = [&](const torch::Tensor& x) {
      const auto r = view.head.forward(x);
      return standard.live_only(options_.release ? view.release(r) : r);
    };
    Plateau plateau(options_.window, options_.tolerance);
    base::Progress progress("rmle", options_.steps);
    Recovered recovered;
    bool flat = false;
    while (!flat && recovered.steps < options_.steps) {
      stop_if_interrupted("rmle");
      const auto objective = rmle_objective(images, represent, target, options_.tv, options_.l2);
      if (!objective.requires_grad())
        throw base::UsageError("[rmle] the defence has no gradient: set release to false");
      images.mutable_grad() = torch::autograd::grad({objective.sum()}, {images})[0];
      optimizer.step();
      const torch::NoGradGuard no_grad;
      images.clamp_(0, 1);
      recovered.objective = objective.detach();
      flat = plateau.reached(recovered.objective);
      progress.update(++recovered.steps);
    }
    recovered.images = images.detach();
    return recovered;
  }

  Options options_;
};

const bool registered = register_attack<Rmle>();

}  // namespace
}  // namespace infoscissors::attack
