#include "infoscissors/attack/attack.h"
#include "infoscissors/attack/fit.h"
#include "infoscissors/attack/rmle.h"
#include "infoscissors/attack/sampling.h"
#include "infoscissors/base/error.h"
#include "infoscissors/base/progress.h"
#include "infoscissors/nn/backbone.h"
#include "infoscissors/nn/decoder.h"
#include "infoscissors/nn/initialise.h"
#include "infoscissors/nn/optimizer.h"
#include "infoscissors/tensor/device.h"

#include <torch/nn/modules/conv.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

namespace infoscissors::attack {
namespace {

struct QueryFreeOptions : RmleOptions {
  std::string shadow = "conv";
  std::int64_t depth = 1;
  std::int64_t labels = 400;
  std::int64_t epochs = 60;
  std::int64_t batch = 32;
  double shadow_rate = 3e-3;
  double validation = 0.1;
  double match = 0;

  base::Fields fields() {
    base::Fields list = {
        {"shadow", &shadow, base::one_of({"conv", "linear"}),
         "family of the shadow head: convolutions with batch norm and ReLU, or convolutions alone"},
        {"depth", &depth, base::between(1, 16), "convolutions of the shadow head"},
        {"labels", &labels, base::at_least(4), "labelled auxiliary images the shadow head is trained on"},
        {"epochs", &epochs, base::at_least(1), "passes over them"},
        {"batch", &batch, base::at_least(2), "images an optimiser step"},
        {"shadow_rate", &shadow_rate, base::greater_than(0), "Adam's learning rate at the start of its half cosine"},
        {"validation", &validation, base::between(0.01, 0.5), "share of the images that picks the stopping point"},
        {"match", &match, base::at_least(0),
         "weight of the distance between the shadow's and the received channels' means and spreads"},
    };
    for (auto& field : RmleOptions::fields()) list.push_back(std::move(field));
    return list;
  }
};

/// Mean and standard deviation of every channel of (N, C, ...), as (2, C).
torch::Tensor moments(const torch::Tensor& r) {
  const auto channels = r.transpose(0, 1).flatten(1);
  return torch::stack({channels.mean(1), channels.std(1, /*unbiased=*/false)});
}

/// Searches on a head of its own making: one that would make the server's encoder classify.
class QueryFree final : public NoQueryAttack {
 public:
  static constexpr const char* kName = "query-free";
  using Options = QueryFreeOptions;
  explicit QueryFree(Options options) : options_(std::move(options)) {}

  static AttackDoc doc() {
    return {kName, "rmle on a shadow head, trained by cross-entropy in front of the server's frozen encoder",
            "He et al. 2019 (ACSAC), section 5: query-free attack", Goal::input};
  }

  Outcome run(const NoQueryView& view) const override {
    const auto chosen = draw_labelled(view, kName, options_.labels);
    const auto head = make_shadow(view);
    const auto classifier = nn::make_mlp(nn::element_count(view.encoder.output), 0, view.classes, 1);
    initialise(*head, view.seed, "query-free:shadow");
    initialise(*classifier, view.seed, "query-free:classifier");
    const auto both = std::make_shared<nn::Sequence>();
    both->append("head", head);
    both->append("classifier", classifier);
    both->to(view.device);
    base::Json details;
    fit(view, chosen, *both, *head, *classifier, details);
    for (auto& parameter : both->parameters()) parameter.set_requires_grad(false);
    auto outcome = invert_by_search(
        kName, view, view.representations, [&](const torch::Tensor& x) { return head->forward(x); }, options_, 1);
    outcome.details.update(details);
    return outcome;
  }

 private:
  // The shapes of x and r are public, the head's architecture is not: the same number of pixels is taken for stride 1,
  // fewer for a first convolution with the stride that leads there; whatever is no map becomes a linear map.
  nn::LayerPtr make_shadow(const NoQueryView& view) const {
    const nn::Shape r = view.representations.sizes().slice(1).vec();
    const auto& x = view.image;
    const bool maps = x.size() == 3 && r.size() == 3 && r[1] > 0 && r[2] > 0;
    const auto stride = maps ? x[1] / r[1] : 0;
    const auto after = [&](std::int64_t size) { return stride == 0 ? 0 : (size - 1) / stride + 1; };
    if (!maps || after(x[1]) != r[1] || after(x[2]) != r[2]) return make_flat_shadow(x, r);
    auto net = std::make_shared<nn::Sequence>();
    for (std::int64_t i = 0; i < options_.depth; ++i) {
      const auto in = i == 0 ? x[0] : r[0], step = i == 0 ? stride : 1;
      net->append("conv" + std::to_string(i + 1),
                  options_.shadow == "conv"
                      ? nn::conv_norm_relu(in, r[0], 3, step)
                      : nn::wrap(torch::nn::Conv2d(torch::nn::Conv2dOptions(in, r[0], 3).stride(step).padding(1))));
    }
    return net;
  }

  nn::LayerPtr make_flat_shadow(const nn::Shape& x, const nn::Shape& r) const {
    /// A fully connected net whose output takes the shape of r.
    class Flat : public nn::Layer {
     public:
      Flat(nn::LayerPtr net, nn::Shape shape) : net_(register_module("net", std::move(net))), shape_(std::move(shape)) {
        shape_.insert(shape_.begin(), -1);
      }
      torch::Tensor forward(const torch::Tensor& x) override { return net_->forward(x).reshape(shape_); }

     private:
      nn::LayerPtr net_;
      nn::Shape shape_;
    };
    const auto elements = nn::element_count(r);
    auto net = nn::make_mlp(nn::element_count(x), elements, elements, options_.depth);
    return std::make_shared<Flat>(net, r);
  }

  // The encoder stays as it is: only shadow head and classifier learn. Leaves both with the weights that did best on
  // the held-out share of the attacker's own images, in evaluation mode.
  void fit(const NoQueryView& view, const Labelled& chosen, nn::Layer& both, nn::Layer& head, nn::Layer& classifier,
           base::Json& details) const {
    const auto images = chosen.images.to(view.device, torch::kFloat32);
    const auto count = images.size(0);
    const auto held =
        std::clamp<std::int64_t>(std::llround(options_.validation * static_cast<double>(count)), 1, count - 2);
    BatchStream batches(count - held, options_.batch,
                        tensor::make_generator(torch::kCPU, view.seed, "query-free:order"));
    const auto steps = options_.epochs * batches.per_pass();
    const auto wanted = moments(view.representations.to(view.device, torch::kFloat32));
    const auto loss_of = [&](const torch::Tensor& x, const torch::Tensor& y) {
      const auto r = head.forward(x);
      auto loss = torch::cross_entropy_loss(classifier.forward(view.encoder.forward(r)), y);
      if (options_.match > 0) {
        const auto scale = wanted[1].clamp_min(1e-6);
        loss = loss + options_.match * ((moments(r) - wanted) / scale).square().mean();
      }
      return loss;
    };
    nn::Optimizer optimizer(both.parameters(), {.rule = nn::Rule::adam});
    base::Progress progress(kName, steps);
    double best = std::numeric_limits<double>::infinity();
    std::map<std::string, torch::Tensor> weights;
    for (std::int64_t step = 0; step < steps; ++step) {
      stop_if_interrupted(kName);
      const auto index = (batches.next() + held).to(view.device);
      both.train();
      optimizer.zero_grad();
      loss_of(images.index_select(0, index), chosen.labels.index_select(0, index)).backward();
      optimizer.step(cosine_rate(options_.shadow_rate, step, steps));
      progress.update(step + 1);
      if ((step + 1) % batches.per_pass() != 0 && step + 1 != steps) continue;
      both.eval();
      const torch::NoGradGuard no_grad;
      const auto loss = loss_of(images.slice(0, 0, held), chosen.labels.slice(0, 0, held)).item<double>();
      if (!(loss < best)) continue;
      best = loss;
      weights = snapshot(both);
      details["best_step"] = step + 1;
    }
    if (weights.empty()) throw base::Error("[{}] the shadow head's loss is not finite: lower shadow_rate", kName);
    nn::load_state(both, weights);
    both.eval();
    details["labels"] = options_.labels;
    details["validation_loss"] = best;
  }

  Options options_;
};

const bool kQueryFreeRegistered = register_attack<QueryFree>();

}  // namespace
}  // namespace infoscissors::attack
