#include "infoscissors/attack/attack.h"
#include "infoscissors/attack/fit.h"
#include "infoscissors/attack/query.h"
#include "infoscissors/attack/sampling.h"
#include "infoscissors/attack/standardize.h"
#include "infoscissors/base/error.h"
#include "infoscissors/base/progress.h"
#include "infoscissors/nn/decoder.h"
#include "infoscissors/nn/initialise.h"
#include "infoscissors/nn/optimizer.h"
#include "infoscissors/tensor/device.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <string>

namespace infoscissors::attack {
namespace {

struct KaOptions {
  std::string decoder = "conv";
  std::int64_t budget = 400;
  std::int64_t width = 16;
  std::int64_t epochs = 50;
  std::int64_t steps = 600;
  std::int64_t batch = 32;
  double rate = 1e-3;
  double validation = 0.1;

  base::Fields fields() {
    return {
        {"decoder", &decoder, base::one_of(nn::decoder_families()), "family of the inverse network"},
        {"budget", &budget, base::at_least(4), "auxiliary images the device is queried on"},
        {"width", &width, base::between(1, 4096), "hidden channels of the decoder"},
        {"epochs", &epochs, base::at_least(1), "passes over the queried pairs"},
        {"steps", &steps, base::at_least(1), "least number of optimiser steps, however small the budget"},
        {"batch", &batch, base::at_least(1), "pairs an optimiser step"},
        {"rate", &rate, base::greater_than(0), "Adam's learning rate at the start of its half cosine"},
        {"validation", &validation, base::between(0.01, 0.5),
         "share of the queried pairs that picks the stopping point"},
    };
  }
};

/// Representation and image of what the attacker queried.
struct Pairs {
  torch::Tensor inputs;  // (n, live channels, ...) standardised
  torch::Tensor images;  // (n, C, H, W)
  Pairs part(std::int64_t from, std::int64_t to) const {
    return {inputs.slice(0, from, to), images.slice(0, from, to)};
  }
};

// Convolutions with few channels run about a third faster on processors when the channels lie together.
torch::Tensor fast_layout(const torch::Tensor& input) {
  return input.dim() == 4 ? input.contiguous(torch::MemoryFormat::ChannelsLast) : input;
}

/// The weights with the lowest loss on the attacker's own validation pairs.
struct Best {
  double loss = std::numeric_limits<double>::infinity();
  std::int64_t step = 0;
  std::map<std::string, torch::Tensor> weights;
};

/// Knowledge alignment: an inverse network r -> x trained on queried pairs.
class Ka final : public BlackBoxAttack {
 public:
  using Options = KaOptions;
  explicit Ka(Options options) : options_(std::move(options)) {}

  static AttackDoc doc() {
    return {"ka", "knowledge alignment: an inverse network r -> x trained on queries of auxiliary images",
            "Duan et al. 2024, section 5; He et al. 2019, inverse network", Goal::input};
  }

  Outcome run(const BlackBoxView& view) const override {
    const auto images = draw_images(view, "ka", options_.budget).to(view.device, torch::kFloat32);
    QueryMeter query(view, "ka", options_.budget);
    const auto answers = query(images);
    const Standardizer standard(answers);
    Outcome outcome;
    outcome.details = {
        {"queries", query.used()}, {"live_channels", standard.live()}, {"dead_channels", standard.dead()}};
    if (standard.live() == 0) {
      // A constant representation says nothing; the mean image is then the best guess in squared error.
      outcome.reconstructions = images.mean(0, true).repeat({view.representations.size(0), 1, 1, 1});
      return outcome;
    }
    const Pairs pairs{standard.live_only(answers), images};
    const auto decoder =
        nn::make_decoder(options_.decoder, pairs.inputs.sizes().slice(1).vec(), view.image, options_.width);
    initialise(*decoder, view.seed, "ka:weights");
    decoder->to(view.device);
    fit(*decoder, pairs, view.seed, outcome.details);
    outcome.reconstructions = in_slices(view.representations, view.device, [&](const torch::Tensor& r) {
      return decoder->forward(fast_layout(standard.live_only(r))).clamp(0, 1);
    });
    return outcome;
  }

 private:
  // Leaves the decoder in evaluation mode with the weights that did best on the held-out queries.
  void fit(nn::Layer& decoder, const Pairs& pairs, std::uint64_t seed, base::Json& details) const {
    const auto count = pairs.inputs.size(0);
    const auto held =
        std::clamp<std::int64_t>(std::llround(options_.validation * static_cast<double>(count)), 1, count - 1);
    const auto training = pairs.part(held, count);
    BatchStream batches(count - held, options_.batch, tensor::make_generator(torch::kCPU, seed, "ka:order"));
    const auto steps = std::max(options_.steps, options_.epochs * batches.per_pass());
    const auto every = std::max(batches.per_pass(), steps / 100);
    nn::Optimizer optimizer(decoder.parameters(), {.rule = nn::Rule::adam});
    base::Progress progress("ka", steps);
    Best best;
    for (std::int64_t step = 0; step < steps; ++step) {
      stop_if_interrupted("ka");
      const auto index = batches.next().to(training.inputs.device());
      decoder.train();
      optimizer.zero_grad();
      const auto output = decoder.forward(fast_layout(training.inputs.index_select(0, index)));
      torch::mse_loss(output, training.images.index_select(0, index)).backward();
      optimizer.step(cosine_rate(options_.rate, step, steps));
      if ((step + 1) % every == 0 || step + 1 == steps) keep_if_better(decoder, pairs.part(0, held), step + 1, best);
      progress.update(step + 1);
    }
    if (best.weights.empty()) throw base::Error("[ka] the decoder's loss is not finite: lower the rate");
    nn::load_state(decoder, best.weights);
    decoder.eval();
    details["training_pairs"] = count - held;
    details["validation_pairs"] = held;
    details["steps"] = steps;
    details["best_step"] = best.step;
    details["validation_mse"] = best.loss;
  }

  static void keep_if_better(nn::Layer& decoder, const Pairs& held, std::int64_t step, Best& best) {
    decoder.eval();
    const auto output =
        in_slices(held.inputs, held.inputs.device(), [&](const auto& r) { return decoder.forward(fast_layout(r)); });
    const auto loss = torch::mse_loss(output, held.images).item<double>();
    if (loss < best.loss) best = {loss, step, snapshot(decoder)};
  }

  Options options_;
};

const bool registered = register_attack<Ka>();

}  // namespace
}  // namespace infoscissors::attack
