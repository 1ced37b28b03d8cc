#include "infoscissors/attack/attack.h"
#include "infoscissors/attack/fit.h"
#include "infoscissors/attack/query.h"
#include "infoscissors/attack/sampling.h"
#include "infoscissors/attack/standardize.h"
#include "infoscissors/base/error.h"
#include "infoscissors/nn/decoder.h"
#include "infoscissors/nn/optimizer.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

namespace infoscissors::attack {
namespace {

constexpr std::int64_t kCheckEvery = 10;          // steps between two looks at the held-out loss
constexpr double kDecays[] = {1e-3, 1e-2, 1e-1};  // weight decays that cross-validation chooses from

struct PmcOptions {
  std::string head = "mlp";
  std::int64_t labels = 40;
  std::int64_t width = 64;
  std::int64_t steps = 200;
  double rate = 3e-3;
  std::int64_t folds = 4;

  base::Fields fields() {
    return {
        {"head", &head, base::one_of({"mlp", "mlp-sim"}), "three layers, or one linear layer"},
        {"labels", &labels, base::at_least(2), "labelled auxiliary images, balanced over the classes"},
        {"width", &width, base::between(1, 65536), "hidden width of the three layers"},
        {"steps", &steps, base::at_least(kCheckEvery), "most steps of Adam; cross-validation may stop earlier"},
        {"rate", &rate, base::greater_than(0), "Adam's learning rate"},
        {"folds", &folds, base::at_least(2), "parts of the labelled samples in cross-validation"},
    };
  }
};

struct Samples {
  torch::Tensor features;  // (L, D) standardised
  torch::Tensor labels;    // (L) int64
  torch::Tensor rank;      // (L) int64: the number within its class
  Samples at(const torch::Tensor& mask) const {
    return {features.index({mask}), labels.index({mask}), rank.index({mask})};
  }
};

struct Choice {
  double decay = kDecays[1];
  std::int64_t steps = 0;
  std::optional<double> loss;  // held-out cross-entropy in nats; empty where nothing could be held out
};

/// Passive model completion: the server completes its encoder with a head of its own.
class Pmc final : public BlackBoxAttack {
 public:
  using Options = PmcOptions;
  explicit Pmc(Options options) : options_(std::move(options)) {}

  static AttackDoc doc() {
    return {"pmc", "passive model completion: a head on v fitted to a few labelled features",
            "Fu et al. 2022 (USENIX Security), section 4.1", Goal::prediction};
  }

  Outcome run(const BlackBoxView& view) const override {
    const auto chosen = draw_labelled(view, "pmc", options_.labels);
    QueryMeter query(view, "pmc", options_.labels);
    const auto features = in_slices(query(chosen.images), view.device, [&](const torch::Tensor& r) {
                            return view.encoder.forward(r).flatten(1);
                          }).to(torch::kFloat32);
    const auto received = view.features.to(view.device, torch::kFloat32).flatten(1);
    const Standardizer standard(torch::cat({features, received}));
    Outcome outcome;
    outcome.details = {{"queries", query.used()}, {"labels", options_.labels}, {"dead_features", standard.dead()}};
    if (standard.live() == 0) {
      // Constant features: every class of the balanced labels is as likely as any other.
      outcome.predictions = chosen.labels.slice(0, 0, 1).repeat({received.size(0)});
      return outcome;
    }
    const Samples samples{standard.live_only(features), chosen.labels, chosen.rank.to(view.device)};
    const auto choice = cross_validate(samples, view);
    auto head = make_head(samples, view);
    train(*head, samples, choice.decay, choice.steps, [](std::int64_t) {});
    head->eval();
    outcome.predictions = in_slices(
        received, view.device, [&](const torch::Tensor& v) { return head->forward(standard.live_only(v)).argmax(1); });
    outcome.details["weight_decay"] = choice.decay;
    outcome.details["steps"] = choice.steps;
    if (choice.loss) outcome.details["validation_cross_entropy"] = *choice.loss;
    return outcome;
  }

 private:
  nn::LayerPtr make_head(const Samples& samples, const BlackBoxView& view) const {
    auto head = nn::make_mlp(samples.features.size(1), options_.width, view.classes, options_.head == "mlp" ? 3 : 1);
    initialise(*head, view.seed, "pmc:weights");
    head->to(view.device);
    return head;
  }

  // Full-batch Adam: there are only a few dozen samples. `look` is called every kCheckEvery steps.
  template <class Look>
  void train(nn::Layer& head, const Samples& samples, double decay, std::int64_t steps, const Look& look) const {
    nn::Optimizer optimizer(head.parameters(), {.rule = nn::Rule::adam, .weight_decay = decay});
    for (std::int64_t step = 1; step <= steps; ++step) {
      optimizer.zero_grad();
      torch::cross_entropy_loss(head.forward(samples.features), samples.labels).backward();
      optimizer.step(options_.rate);
      if (step % kCheckEvery == 0) look(step);
    }
  }

  // Weight decay and stopping step with the lowest held-out cross-entropy, from the labelled samples alone. Folds go by
  // the rank within the class, so each holds every class out alike.
  Choice cross_validate(const Samples& samples, const BlackBoxView& view) const {
    const auto folds = std::min(options_.folds, samples.rank.max().item<std::int64_t>() + 1);
    if (folds < 2) return {.steps = options_.steps, .loss = {}};  // one sample a class leaves nothing to hold out
    Choice best;
    for (const double decay : kDecays) {
      std::vector<double> losses(static_cast<std::size_t>(options_.steps / kCheckEvery), 0.0);
      for (std::int64_t fold = 0; fold < folds; ++fold) {
        stop_if_interrupted("pmc");
        const auto held = samples.rank.remainder(folds).eq(fold);
        const auto test = samples.at(held);
        auto head = make_head(samples, view);
        train(*head, samples.at(held.logical_not()), decay, options_.steps, [&](std::int64_t step) {
          const torch::NoGradGuard no_grad;
          const auto loss =
              torch::cross_entropy_loss(head->forward(test.features), test.labels, {}, at::Reduction::Sum);
          losses[static_cast<std::size_t>(step / kCheckEvery - 1)] += loss.template item<double>();
        });
      }
      const auto lowest = std::min_element(losses.begin(), losses.end());
      const double mean = *lowest / static_cast<double>(samples.labels.size(0));
      if (std::isfinite(mean) && (!best.loss || mean < *best.loss))
        best = {decay, (lowest - losses.begin() + 1) * kCheckEvery, mean};
    }
    if (!best.loss) throw base::Error("[pmc] the head's loss is not finite: lower the rate");
    return best;
  }

  Options options_;
};

const bool registered = register_attack<Pmc>();

}  // namespace
}  // namespace infoscissors::attack
