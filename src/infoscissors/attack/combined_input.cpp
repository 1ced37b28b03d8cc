#include "infoscissors/attack/attack.h"
#include "infoscissors/attack/fit.h"
#include "infoscissors/attack/inverse.h"
#include "infoscissors/attack/query.h"
#include "infoscissors/attack/sampling.h"
#include "infoscissors/attack/standardize.h"

#include <torch/nn/modules/linear.h>

#include <utility>

namespace infoscissors::attack {
namespace {

constexpr std::int64_t kExtraChannels = 4;  // of v, beside those of r

/// A decoder that sees r and v: v becomes a few more channels of r's size. It takes both as one flat row (r, v).
class Fused : public nn::Layer {
 public:
  Fused(const nn::Shape& representation, std::int64_t features, const std::string& family, const nn::Shape& image,
        std::int64_t width)
      : representation_(representation), elements_(nn::element_count(representation)) {
    extra_ = representation;
    extra_.front() = kExtraChannels;
    auto input = representation;
    input.front() += kExtraChannels;
    lift_ = register_module("lift", torch::nn::Linear(features, nn::element_count(extra_)));
    decoder_ = register_module("decoder", make_inverse(family, input, image, width));
  }

  // v starts quiet, so that training begins near what r alone can do; silent it must not be, or a decoder without r
  // would rest where every ReLU is at zero.
  void quieten() {
    const torch::NoGradGuard no_grad;
    lift_->weight.mul_(0.1);
    lift_->bias.mul_(0.1);
  }

  torch::Tensor forward(const torch::Tensor& row) override {
    const auto shaped = [&](const torch::Tensor& flat, nn::Shape shape) {
      shape.insert(shape.begin(), row.size(0));
      return flat.reshape(shape);
    };
    const auto r = shaped(row.slice(1, 0, elements_), representation_);
    const auto v = shaped(lift_->forward(row.slice(1, elements_)), extra_);
    const auto input = torch::cat({r, v}, 1);
    return decoder_->forward(input.dim() == 4 ? input.contiguous(torch::MemoryFormat::ChannelsLast) : input);
  }

 private:
  nn::Shape representation_, extra_;
  std::int64_t elements_;
  torch::nn::Linear lift_{nullptr};
  nn::LayerPtr decoder_;
};

/// Knowledge alignment on everything that crosses the wire.
class CombinedInput final : public BlackBoxAttack {
 public:
  static constexpr const char* kName = "combined-input";
  using Options = InverseOptions;
  explicit CombinedInput(Options options) : options_(std::move(options)) {}

  static AttackDoc doc() {
    return {kName, "ka on both tensors: an inverse network (r, v) -> x",
            "He et al. 2019, inverse network; the use of v is this project's", Goal::input};
  }

  Outcome run(const BlackBoxView& view) const override {
    const auto images = draw_images(view, kName, options_.budget).to(view.device, torch::kFloat32);
    QueryMeter query(view, kName, options_.budget * options_.draws);
    const auto answers = query(images), features = features_of(view, answers);
    const Standardizer of_r(answers), of_v(features);
    // A dead channel of v, or of r where v still lives, is zero and tells nothing: shapes stay as they are.
    const auto pack = [&](const torch::Tensor& r, const torch::Tensor& v) {
      return torch::cat({of_r.all(r).flatten(1), of_v.all(v)}, 1);
    };
    Outcome outcome;
    outcome.details = {{"queries", query.used()},
                       {"live_channels", of_r.live()},
                       {"dead_channels", of_r.dead()},
                       {"dead_features", of_v.dead()}};
    if (of_r.live() + of_v.live() == 0) {
      outcome.reconstructions = mean_guess(images, view.representations.size(0));
      return outcome;
    }
    const auto net = std::make_shared<Fused>(answers.sizes().slice(1).vec(), features.size(1), options_.decoder,
                                             view.image, options_.width);
    initialise(*net, view.seed, "combined-input:weights");
    net->quieten();
    net->to(view.device);
    const auto redraw = [&](const torch::Tensor& asked) {
      const auto r = query(asked);
      return pack(r, features_of(view, r));
    };
    fit_inverse(kName, *net, {pack(answers, features), images}, redraw, options_, view, outcome.details);
    outcome.details["queries"] = query.used();
    const auto sizes = view.representations.sizes().slice(1).vec();
    const auto elements = nn::element_count(sizes);
    const auto both =
        torch::cat({view.representations.flatten(1), view.features.to(view.representations.device()).flatten(1)}, 1);
    outcome.reconstructions = invert_with(*net, both, view.device, [&](const torch::Tensor& row) {
      auto shape = sizes;
      shape.insert(shape.begin(), row.size(0));
      return pack(row.slice(1, 0, elements).reshape(shape), row.slice(1, elements));
    });
    return outcome;
  }

 private:
  Options options_;
};

const bool kCombinedInputRegistered = register_attack<CombinedInput>();

}  // namespace
}  // namespace infoscissors::attack
