#include "infoscissors/attack/rmle.h"

#include "infoscissors/attack/attack.h"
#include "infoscissors/attack/search.h"
#include "infoscissors/attack/standardize.h"
#include "infoscissors/tensor/device.h"

#include <algorithm>
#include <vector>

namespace infoscissors::attack {

torch::Tensor total_variation(const torch::Tensor& images) {
  auto sum = torch::zeros({images.size(0)}, images.options());
  for (std::int64_t dimension = 2; dimension < images.dim(); ++dimension) {
    if (images.size(dimension) > 1) sum = sum + images.diff(1, dimension).square().flatten(1).mean(1);
  }
  return sum;
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

constexpr std::int64_t kElementsAtOnce = std::int64_t{1} << 23;  // of r; its graph takes a few times 32 MiB
constexpr std::int64_t kJudged = 16;  // evaluations that compare starts where the perturbation is random

struct RmleOptions {
  std::int64_t steps = 2000;
  double rate = 1e-2;
  double tv = 0;
  double l2 = 0;
  double tolerance = 0.02;
  std::int64_t window = 50;
  std::int64_t starts = 4;
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
        {"starts", &starts, base::between(1, 1024), "starts for each image; the lowest objective wins"},
        {"release", &release, base::any(), "send the candidate through the device's perturbation with fresh draws"},
    };
  }
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
    const auto shape = pixels(view.image, view.device, tensor::make_generator(torch::kCPU, view.seed, "rmle:start"));
    Outcome outcome;
    outcome.details = {{"live_channels", standard.live()}, {"dead_channels", standard.dead()}};
    if (standard.live() == 0) {
      outcome.reconstructions = shape.draw(0, received.size(0)).front();
      return outcome;
    }
    std::vector<torch::Tensor> images, objectives, winners;
    std::int64_t steps = 0;
    for (const auto& part : received.split(at_once(received))) {
      const auto found = recover(view, shape, standard, standard.live_only(part.to(view.device, torch::kFloat32)));
      images.push_back(found.images);
      objectives.push_back(found.objective);
      winners.push_back(found.start);
      steps = std::max(steps, found.steps);
    }
    outcome.reconstructions = torch::cat(images);
    outcome.details["steps"] = steps;
    outcome.details["objective"] = torch::cat(objectives).mean().item<double>();
    outcome.details["first_start_won"] = torch::cat(winners).eq(0).to(torch::kFloat64).mean().item<double>();
    return outcome;
  }

 private:
  std::int64_t at_once(const torch::Tensor& received) const {
    return std::max<std::int64_t>(1,
                                  kElementsAtOnce / std::max<std::int64_t>(1, received[0].numel() * options_.starts));
  }

  Found recover(const WhiteBoxView& view, const Parametrisation& shape, const Standardizer& standard,
                const torch::Tensor& target) const {
    const auto represent = [&](const torch::Tensor& x) {
      const auto r = view.head.forward(x);
      return standard.live_only(options_.release ? view.release(r) : r);
    };
    const auto objective = [&](const torch::Tensor& x, const torch::Tensor& owner) {
      return rmle_objective(x, represent, target.index_select(0, owner), options_.tv, options_.l2);
    };
    return search("rmle", shape, objective, target.size(0),
                  {.steps = options_.steps,
                   .rate = options_.rate,
                   .tolerance = options_.tolerance,
                   .window = options_.window,
                   .starts = options_.starts,
                   .judged = options_.release ? kJudged : 1});
  }

  Options options_;
};

const bool registered = register_attack<Rmle>();

}  // namespace
}  // namespace infoscissors::attack
