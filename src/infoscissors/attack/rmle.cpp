#include "infoscissors/attack/rmle.h"

#include "infoscissors/attack/attack.h"
#include "infoscissors/attack/query.h"
#include "infoscissors/attack/search.h"
#include "infoscissors/attack/standardize.h"
#include "infoscissors/tensor/device.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace infoscissors::attack {
namespace {

constexpr std::int64_t kElementsAtOnce = std::int64_t{1} << 23;  // of r; its graph takes a few times 32 MiB
constexpr std::int64_t kJudged = 16;  // evaluations that compare starts where the perturbation is random

std::string page_of(std::size_t group) {
  return "group" + std::to_string(group);
}

std::optional<Found> recall(const Notebook& notebook, std::size_t group) {
  if (!notebook.read) return std::nullopt;
  const auto page = notebook.read(page_of(group));
  if (page.empty()) return std::nullopt;
  return Found{page.at("images"), page.at("objective"), page.at("start"), page.at("steps").item<std::int64_t>()};
}

void note(const Notebook& notebook, std::size_t group, const Found& found) {
  if (!notebook.write) return;
  notebook.write(page_of(group), {{"images", found.images},
                                  {"objective", found.objective},
                                  {"start", found.start},
                                  {"steps", torch::tensor(found.steps)}});
}

}  // namespace

torch::Tensor total_variation(const torch::Tensor& images) {
  auto sum = torch::zeros({images.size(0)}, images.options());
  for (std::int64_t dimension = 2; dimension < images.dim(); ++dimension) {
    if (images.size(dimension) > 1) sum = sum + images.diff(1, dimension).square().flatten(1).mean(1);
  }
  return sum;
}

torch::Tensor rmle_objective(const torch::Tensor& images, const Represent& represent, const torch::Tensor& target,
                             double tv, double l2) {
  auto objective = (represent(images) - target).square().flatten(1).mean(1);
  if (tv > 0) objective = objective + tv * total_variation(images);
  if (l2 > 0) objective = objective + l2 * images.square().flatten(1).mean(1);
  return objective;
}

base::Fields RmleOptions::fields() {
  return {
      {"steps", &steps, base::at_least(1), "most optimiser steps"},
      {"rate", &rate, base::greater_than(0), "AMSGrad's learning rate"},
      {"tv", &tv, base::at_least(0), "weight of the total variation; 0 at the first convolution, 10 to 1000 deeper"},
      {"l2", &l2, base::at_least(0), "weight of the mean square of the image"},
      {"tolerance", &tolerance, base::half_open(0, 1),
       "stop once no image's objective fell by this share from one window to the next; 0: never"},
      {"window", &window, base::at_least(1), "steps a window"},
      {"starts", &starts, base::between(1, 1024), "starts for each image; the lowest objective wins"},
  };
}

base::Fields ReleaseOptions::fields() {
  auto list = RmleOptions::fields();
  list.push_back({"release", &release, base::any(), "send the candidate through the device's perturbation"});
  list.push_back({"draws", &draws, base::at_least(1), "release: fresh draws of the perturbation a step averages over"});
  return list;
}

Represent ReleaseOptions::represent(const WhiteBoxView& view) const {
  return [this, &view](const torch::Tensor& x) {
    const auto r = view.head.forward(x);
    return release ? mean_of(draws, [&] { return view.release(r, x); }) : r;
  };
}

std::int64_t ReleaseOptions::judged() const {
  return release ? kJudged : 1;
}

Outcome invert_by_search(const std::string& attack, const NoQueryView& view, const torch::Tensor& received,
                         const Represent& represent, const RmleOptions& options, std::int64_t judged,
                         const std::function<Parametrisation(std::uint64_t group)>& parametrise) {
  const Standardizer standard(received);
  const auto candidates = [&](std::uint64_t group) {
    if (parametrise) return parametrise(group);
    const auto generator = tensor::make_generator(torch::kCPU, view.seed, attack + ":start", group);
    return pixels(view.image, view.device, generator);
  };
  Outcome outcome;
  outcome.details = {{"live_channels", standard.live()}, {"dead_channels", standard.dead()}};
  if (standard.live() == 0) {
    outcome.reconstructions = pixels(view.image, view.device, {}).draw(0, received.size(0)).front();
    return outcome;
  }
  const auto chunk =
      std::max<std::int64_t>(1, kElementsAtOnce / std::max<std::int64_t>(1, received[0].numel() * options.starts));
  std::vector<Found> found;
  for (const auto& part : received.split(chunk)) {
    const auto group = found.size();
    if (auto kept = recall(view.notebook, group)) {
      found.push_back(std::move(*kept));
      continue;
    }
    const auto target = standard.live_only(part.to(view.device, torch::kFloat32));
    const auto standardised = [&](const torch::Tensor& x) { return standard.live_only(represent(x)); };
    const auto objective = [&](const torch::Tensor& x, const torch::Tensor& owner) {
      return rmle_objective(x, standardised, target.index_select(0, owner), options.tv, options.l2);
    };
    found.push_back(search(attack, candidates(group), objective, target.size(0),
                           {.steps = options.steps,
                            .rate = options.rate,
                            .tolerance = options.tolerance,
                            .window = options.window,
                            .starts = options.starts,
                            .judged = judged}));
    note(view.notebook, group, found.back());
  }
  const auto all = [&](torch::Tensor Found::*member) {
    std::vector<torch::Tensor> parts;
    for (const auto& part : found) parts.push_back((part.*member).to(view.device));
    return torch::cat(parts);
  };
  const auto slowest =
      std::max_element(found.begin(), found.end(), [](const Found& a, const Found& b) { return a.steps < b.steps; });
  outcome.reconstructions = all(&Found::images);
  outcome.details["steps"] = slowest->steps;
  outcome.details["objective"] = all(&Found::objective).mean().item<double>();
  outcome.details["first_start_won"] = all(&Found::start).eq(0).to(torch::kFloat64).mean().item<double>();
  return outcome;
}

namespace {

/// Regularised maximum likelihood: searches the image whose representation is the one received.
class Rmle final : public WhiteBoxAttack {
 public:
  using Options = ReleaseOptions;
  explicit Rmle(Options options) : options_(options) {}

  static AttackDoc doc() {
    return {"rmle", "regularised maximum likelihood: the image whose representation fits the received one best",
            "He et al. 2019 (ACSAC), section 4; Duan et al. 2024, section 5", Goal::input};
  }

  Outcome run(const WhiteBoxView& view) const override {
    return invert_by_search("rmle", view, view.representations, options_.represent(view), options_, options_.judged());
  }

 private:
  Options options_;
};

const bool kRmleRegistered = register_attack<Rmle>();

}  // namespace
}  // namespace infoscissors::attack
