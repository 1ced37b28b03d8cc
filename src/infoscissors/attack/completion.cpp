#include "infoscissors/attack/completion.h"

#include "infoscissors/attack/fit.h"
#include "infoscissors/attack/standardize.h"
#include "infoscissors/attack/whiten.h"
#include "infoscissors/base/error.h"
#include "infoscissors/nn/decoder.h"
#include "infoscissors/nn/optimizer.h"
#include "infoscissors/tensor/device.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>
#include <vector>

namespace infoscissors::attack {
namespace {

constexpr std::int64_t kCheckEvery = 10;          // steps between two looks at the held-out loss
constexpr double kDecays[] = {1e-3, 1e-2, 1e-1};  // weight decays that cross-validation chooses from

struct Samples {
  torch::Tensor features;  // (draws, L, D) standardised
  torch::Tensor labels;    // (L) int64
  torch::Tensor rank;      // (L) int64: the number within its class
  Samples at(const torch::Tensor& mask) const {
    const auto index = mask.nonzero().flatten();
    return {features.index_select(1, index), labels.index_select(0, index), rank.index_select(0, index)};
  }
};

struct Choice {
  double decay = kDecays[1];
  std::int64_t steps = 0;
  std::optional<double> loss;  // held-out cross-entropy in nats; empty where nothing could be held out
};

class Completion {
 public:
  Completion(const std::string& attack, const CompletionOptions& options, const NoQueryView& view,
             const Samples& samples, const torch::Tensor& unlabelled)
      : attack_(attack), options_(options), view_(view), samples_(samples), unlabelled_(unlabelled) {}

  // Weight decay and stopping step with the lowest held-out cross-entropy, from the labelled samples alone.
  Choice choose_supervised() const {
    if (folds() < 2) return {.steps = options_.steps, .loss = {}};  // one a class leaves nothing to hold out
    Choice best;
    for (const double decay : kDecays) {
      const auto held = cross_validate(options_.steps, [&](nn::Layer& head, const Samples& part, const Look& look) {
        train(head, part, decay, options_.steps, look);
      });
      if (std::isfinite(*held.loss) && (!best.loss || *held.loss < *best.loss)) best = {decay, held.steps, held.loss};
    }
    if (!best.loss) throw base::Error("[{}] the head's loss is not finite: lower the rate", attack_);
    return best;
  }

  // The stopping step of the semi-supervised training with a given weight decay.
  Choice choose_semi(double decay) const {
    const auto steps = options_.semi_options.steps;
    if (folds() < 2) return {.decay = decay, .steps = steps, .loss = {}};
    auto choice = cross_validate(steps, [&](nn::Layer& head, const Samples& part, const Look& look) {
      train_semi(head, part, decay, steps, look);
    });
    choice.decay = decay;
    return choice;
  }

  nn::LayerPtr fit(const Choice& choice, bool semi) const {
    auto head = make_head();
    const Look none = [](std::int64_t) {};
    if (semi)
      train_semi(*head, samples_, choice.decay, choice.steps, none);
    else
      train(*head, samples_, choice.decay, choice.steps, none);
    head->eval();
    return head;
  }

 private:
  using Look = std::function<void(std::int64_t step)>;
  using Train = std::function<void(nn::Layer& head, const Samples& samples, const Look& look)>;

  nn::LayerPtr make_head() const {
    auto head = nn::make_mlp(samples_.features.size(2), options_.width, view_.classes, options_.head == "mlp" ? 3 : 1);
    initialise(*head, view_.seed, attack_ + ":weights");
    head->to(view_.device);
    return head;
  }

  // Full-batch Adam: there are only a few dozen samples.
  void train(nn::Layer& head, const Samples& samples, double decay, std::int64_t steps, const Look& look) const {
    nn::Optimizer optimizer(head.parameters(), {.rule = nn::Rule::adam, .weight_decay = decay});
    for (std::int64_t step = 1; step <= steps; ++step) {
      optimizer.zero_grad();
      const auto features = samples.features[step % samples.features.size(0)];
      torch::cross_entropy_loss(head.forward(features), samples.labels).backward();
      optimizer.step(options_.rate);
      if (step % kCheckEvery == 0) look(step);
    }
  }

  void train_semi(nn::Layer& head, const Samples& samples, double decay, std::int64_t steps, const Look& look) const {
    fit_semi(head, samples.features, samples.labels, view_.classes, unlabelled_, options_.rate, decay, steps,
             options_.semi_options, tensor::make_generator(torch::kCPU, view_.seed, attack_ + ":semi"), kCheckEvery,
             look);
  }

  std::int64_t folds() const { return std::min(options_.folds, samples_.rank.max().item<std::int64_t>() + 1); }

  // The step with the lowest held-out cross-entropy summed over folds, and its mean over samples and draws. Folds go by
  // the rank within the class, so each holds every class out alike.
  Choice cross_validate(std::int64_t steps, const Train& train) const {
    std::vector<double> losses(static_cast<std::size_t>(steps / kCheckEvery), 0.0);
    for (std::int64_t fold = 0; fold < folds(); ++fold) {
      stop_if_interrupted(attack_);
      const auto held = samples_.rank.remainder(folds()).eq(fold);
      const auto test = samples_.at(held);
      const auto features = test.features.flatten(0, 1), labels = test.labels.repeat({test.features.size(0)});
      auto head = make_head();
      train(*head, samples_.at(held.logical_not()), [&](std::int64_t step) {
        const torch::NoGradGuard no_grad;
        const auto loss = torch::cross_entropy_loss(head->forward(features), labels, {}, at::Reduction::Sum);
        losses[static_cast<std::size_t>(step / kCheckEvery - 1)] += loss.item<double>();
      });
    }
    const auto lowest = std::min_element(losses.begin(), losses.end());
    return {.steps = (lowest - losses.begin() + 1) * kCheckEvery,
            .loss = *lowest / static_cast<double>(samples_.labels.size(0) * samples_.features.size(0))};
  }

  const std::string& attack_;
  const CompletionOptions& options_;
  const NoQueryView& view_;
  const Samples& samples_;
  const torch::Tensor& unlabelled_;
};

}  // namespace

base::Fields CompletionOptions::fields() {
  base::Fields list = {
      {"head", &head, base::one_of({"mlp", "mlp-sim"}), "three layers, or one linear layer"},
      {"labels", &labels, base::at_least(2), "labelled auxiliary images, balanced over the classes"},
      {"width", &width, base::between(1, 65536), "hidden width of the three layers"},
      {"steps", &steps, base::at_least(kCheckEvery), "most steps of Adam; cross-validation may stop earlier"},
      {"rate", &rate, base::greater_than(0), "Adam's learning rate"},
      {"folds", &folds, base::at_least(2), "parts of the labelled samples in cross-validation"},
      {"whiten", &whiten, base::any(), "decorrelate the features by their principal directions, not only scale them"},
      {"semi", &semi, base::any(), "train a second head with the unlabelled features as well, keep the better one"},
  };
  for (auto& field : semi_options.fields()) list.push_back(std::move(field));
  return list;
}

Outcome complete(const std::string& attack, const Evidence& evidence, const Labelled& chosen,
                 const CompletionOptions& options, const NoQueryView& view) {
  const auto labelled = evidence.labelled.to(view.device),
             received = evidence.received.to(view.device, torch::kFloat32);
  const Standardizer standard(torch::cat({labelled.flatten(0, 1), received}));
  Outcome outcome;
  outcome.details = {{"labels", options.labels}, {"dead_features", standard.dead()}};
  if (standard.live() == 0) {
    // Constant features: every class of the balanced labels is as likely as any other.
    outcome.predictions = chosen.labels.slice(0, 0, 1).repeat({received.size(0)});
    return outcome;
  }
  auto features = standard.live_only(labelled.flatten(0, 1)), unlabelled = standard.live_only(received);
  if (options.whiten) {
    const Whitener whitener(torch::cat({features, unlabelled}));
    features = whitener.apply(features);
    unlabelled = whitener.apply(unlabelled);
    outcome.details["directions"] = whitener.directions();
  }
  features = features.unflatten(0, {labelled.size(0), labelled.size(1)});
  const Samples samples{features, chosen.labels, chosen.rank.to(view.device)};
  const Completion completion(attack, options, view, samples, unlabelled);
  auto choice = completion.choose_supervised();
  bool semi = false;
  if (options.semi) {
    const auto other = completion.choose_semi(choice.decay);
    semi = !choice.loss || *other.loss < *choice.loss;
    if (semi) choice = other;
    outcome.details["semi_won"] = semi;
  }
  const auto head = completion.fit(choice, semi);
  outcome.predictions =
      in_slices(unlabelled, view.device, [&](const torch::Tensor& v) { return head->forward(v).argmax(1); });
  outcome.details["weight_decay"] = choice.decay;
  outcome.details["steps"] = choice.steps;
  if (choice.loss) outcome.details["validation_cross_entropy"] = *choice.loss;
  return outcome;
}

}  // namespace infoscissors::attack
