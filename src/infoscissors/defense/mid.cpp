#include "infoscissors/defense/defense.h"
#include "infoscissors/defense/epoch_mean.h"
#include "infoscissors/defense/site.h"
#include "infoscissors/defense/state.h"

#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>

#include <utility>

namespace infoscissors::defense {
namespace {

/// Softplus^-1 would be the source's parametrisation (sigma = softplus(f - 5)); here the log-variance starts at the
/// constant that gives about its deviation, 0.08, so that training begins with a network that can still predict.
constexpr double kFirstLogVariance = -5.0;

struct MidOptions {
  double beta = 1e-3;
  std::string site = "representation";
  base::Fields fields() {
    return {
        {"beta", &beta, base::at_least(0), "weight of the information term, nats of one sample"},
        site_field(site),
    };
  }
};

nn::LayerPtr linear_map(const nn::Shape& shape) {
  const auto channels = shape.front();
  if (shape.size() == 3) return nn::wrap(torch::nn::Conv2d(torch::nn::Conv2dOptions(channels, channels, 1)));
  return nn::wrap(torch::nn::Linear(channels, channels));
}

/// Mean and log-variance of p(z | t) for an exposed t: two 1x1 convolutions, or linear maps for vectors. The mean
/// starts as t itself and is not rectified.
class Bottleneck : public torch::nn::Module {
 public:
  explicit Bottleneck(const nn::Shape& shape)
      : mean(register_module("mean", linear_map(shape))),
        log_variance(register_module("log_variance", linear_map(shape))) {
    const torch::NoGradGuard no_grad;
    const auto channels = shape.front();
    auto identity = torch::eye(channels);
    auto weight = mean->parameters()[0];
    weight.copy_(identity.view(weight.sizes()));
    mean->parameters()[1].zero_();
    log_variance->parameters()[0].zero_();
    log_variance->parameters()[1].fill_(kFirstLogVariance);
  }

  nn::LayerPtr mean, log_variance;
};

/// Mutual information regularisation by the variational information bottleneck (Alemi et al. 2017, equation 17; for
/// split networks Zou et al. 2023): what is exposed is a draw from N(mu, sigma^2), and beta KL(N(mu, sigma^2) || N(0,
/// I)) is added to the loss. The mean over the data of that divergence is an upper bound of the information between
/// what is exposed and the input, in nats. Served as trained: always a draw, never the mean.
class Mid : public Defense {
 public:
  using Options = MidOptions;
  explicit Mid(const Options& options) : options_(options) {}
  static base::Doc doc() {
    return {"mid", "variational information bottleneck on what is exposed", "Alemi et al., ICLR 2017; Zou et al. 2023"};
  }
  static std::string sites() { return "representation, feature"; }
  std::vector<std::string> claims() const override { return claims_at(options_.site, "the bottleneck"); }

  void setup(const Context& context) override {
    for (const auto site : covered_sites(options_.site)) {
      Part part;
      part.bottleneck = std::make_shared<Bottleneck>(shape_at(context, site));
      part.bottleneck->to(context.runtime.device);
      part.mean.start(context.runtime.device);
      parts_.emplace(site, std::move(part));
    }
  }

  torch::Tensor release(const torch::Tensor& exposed, Site site, Phase phase, torch::Generator& generator,
                        const torch::Tensor&) override {
    const auto found = parts_.find(site);
    if (found == parts_.end()) return exposed;
    auto& part = found->second;
    const auto mean = part.bottleneck->mean->forward(exposed).to(torch::kFloat32);
    const auto log_variance = part.bottleneck->log_variance->forward(exposed).to(torch::kFloat32);
    if (phase == Phase::train) {
      const auto terms = mean.square() + log_variance.exp() - log_variance - 1;
      part.divergence = 0.5 * terms.flatten(1).sum(1).mean();
    }
    const auto draws = torch::randn(mean.sizes(), generator, mean.options());
    return mean + (0.5 * log_variance).exp() * draws;
  }

  torch::Tensor penalty(const Step&) override {
    torch::Tensor sum;
    for (auto& [site, part] : parts_) {
      const auto divergence = std::exchange(part.divergence, torch::Tensor());
      if (!divergence.defined()) continue;
      part.mean.add(divergence);
      const auto term = options_.beta * divergence;
      sum = sum.defined() ? sum + term : term;
    }
    return sum;
  }

  EpochReport end_epoch() override {
    EpochReport report;
    for (auto& [site, part] : parts_) {
      if (const auto mean = part.mean.take()) report.values["mid_nats_" + to_string(site)] = *mean;
    }
    return report;
  }

  std::vector<torch::Tensor> trained_parameters() override {
    std::vector<torch::Tensor> all;
    for (const auto& [site, part] : parts_) {
      for (const auto& parameter : part.bottleneck->parameters()) all.push_back(parameter);
    }
    return all;
  }

  std::map<std::string, std::shared_ptr<torch::nn::Module>> modules() override {
    std::map<std::string, std::shared_ptr<torch::nn::Module>> modules;
    for (const auto& [site, part] : parts_) modules[to_string(site)] = part.bottleneck;
    return modules;
  }

  std::map<std::string, torch::Tensor> state() override {
    std::map<std::string, torch::Tensor> state;
    for (const auto& [site, part] : parts_) state["sums_" + to_string(site)] = part.mean.sums;
    return state;
  }

  void load_state(const std::map<std::string, torch::Tensor>& state) override {
    load_into(this->state(), state, "mid");
  }

 private:
  struct Part {
    std::shared_ptr<Bottleneck> bottleneck;
    torch::Tensor divergence;  // of the step's release, scalar, nats of one sample
    EpochMean mean;
  };

  Options options_;
  std::map<Site, Part> parts_;
};

const bool kMidRegistered = register_defense<Mid>();

}  // namespace
}  // namespace infoscissors::defense
