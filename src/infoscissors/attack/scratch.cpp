#include "infoscissors/attack/attack.h"
#include "infoscissors/attack/fit.h"
#include "infoscissors/attack/query.h"
#include "infoscissors/attack/sampling.h"
#include "infoscissors/attack/standardize.h"
#include "infoscissors/base/error.h"
#include "infoscissors/base/progress.h"
#include "infoscissors/nn/decoder.h"
#include "infoscissors/nn/optimizer.h"
#include "infoscissors/tensor/device.h"

namespace infoscissors::attack {
namespace {

struct ScratchOptions {
  std::int64_t labels = 40;
  std::int64_t epochs = 100;
  std::int64_t batch = 20;
  double rate = 1e-3;
  double weight_decay = 5e-4;

  base::Fields fields() {
    return {
        {"labels", &labels, base::at_least(2), "labelled auxiliary images, balanced over the classes"},
        {"epochs", &epochs, base::at_least(1), "passes over the labelled images"},
        {"batch", &batch, base::at_least(2), "images an optimiser step"},
        {"rate", &rate, base::greater_than(0), "Adam's learning rate at the start of its half cosine"},
        {"weight_decay", &weight_decay, base::at_least(0), "added to the gradient"},
    };
  }
};

/// What the labels alone are worth: the encoder's architecture trained without its weights.
class Scratch final : public BlackBoxAttack {
 public:
  using Options = ScratchOptions;
  explicit Scratch(Options options) : options_(options) {}

  static AttackDoc doc() {
    return {"scratch", "the same labels without the encoder's weights: its architecture trained from random ones",
            "Duan et al. 2024, table 1", Goal::prediction};
  }

  Outcome run(const BlackBoxView& view) const override {
    if (!view.fresh_encoder) throw base::Error("[scratch] the view offers no fresh encoder");
    const auto chosen = draw_labelled(view, "scratch", options_.labels);
    QueryMeter query(view, "scratch", options_.labels);
    const auto answers = query(chosen.images);
    const Standardizer standard(answers);
    const auto net = std::make_shared<nn::Sequence>();
    net->append("encoder", view.fresh_encoder());
    net->append("classifier", nn::make_mlp(nn::element_count(view.encoder.output), 0, view.classes, 1));
    initialise(*net, view.seed, "scratch:weights");
    net->to(view.device);
    const auto loss = fit(*net, standard.all(answers), chosen.labels, view.seed);
    Outcome outcome;
    outcome.predictions = in_slices(view.representations, view.device,
                                    [&](const torch::Tensor& r) { return net->forward(standard.all(r)).argmax(1); });
    outcome.details = {{"queries", query.used()},
                       {"labels", options_.labels},
                       {"dead_channels", standard.dead()},
                       {"training_cross_entropy", loss}};
    return outcome;
  }

 private:
  // Returns the last batch's loss and leaves the network in evaluation mode.
  double fit(nn::Layer& net, const torch::Tensor& inputs, const torch::Tensor& labels, std::uint64_t seed) const {
    BatchStream batches(inputs.size(0), options_.batch, tensor::make_generator(torch::kCPU, seed, "scratch:order"));
    nn::Optimizer optimizer(net.parameters(), {.rule = nn::Rule::adam, .weight_decay = options_.weight_decay});
    const auto steps = options_.epochs * batches.per_pass();
    base::Progress progress("scratch", steps);
    torch::Tensor loss;
    net.train();
    for (std::int64_t step = 0; step < steps; ++step) {
      stop_if_interrupted("scratch");
      const auto index = batches.next().to(inputs.device());
      optimizer.zero_grad();
      loss = torch::cross_entropy_loss(net.forward(inputs.index_select(0, index)), labels.index_select(0, index));
      loss.backward();
      optimizer.step(cosine_rate(options_.rate, step, steps));
      progress.update(step + 1);
    }
    net.eval();
    return loss.item<double>();
  }

  Options options_;
};

const bool kScratchRegistered = register_attack<Scratch>();

}  // namespace
}  // namespace infoscissors::attack
