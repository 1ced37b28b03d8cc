#include "infoscissors/base/error.h"
#include "infoscissors/defense/defense.h"
#include "infoscissors/defense/epoch_mean.h"
#include "infoscissors/defense/state.h"
#include "infoscissors/nn/decoder.h"
#include "infoscissors/nn/initialise.h"
#include "infoscissors/nn/optimizer.h"

#include <optional>

namespace infoscissors::defense {
namespace {

struct AnAdvOptions {
  double epsilon = 0.1;
  std::string decoder = "conv";
  std::int64_t width = 16;
  std::int64_t steps = 1;
  double rate = 1e-3;

  base::Fields fields() {
    using namespace base;
    return {
        {"epsilon", &epsilon, at_least(0), "size of the step along the gradient's sign"},
        {"decoder", &decoder, one_of(nn::decoder_families()), "family of the inversion network"},
        {"width", &width, between(1, 4096), "its hidden channels"},
        {"steps", &steps, between(1, 100), "its updates for each main step"},
        {"rate", &rate, greater_than(0), "its learning rate (Adam)"},
    };
  }
};

/// Adversarial noise (the baseline of Li et al., ResSFL, CVPR 2022): r + epsilon sign(d MSE(g(r), x) / dr), where g is
/// an inversion network that the device trains on what it releases. The step goes in the direction in which g's error
/// rises; the code published with the source subtracts it. It needs x, which only the device has.
class AdversarialNoise : public Defense {
 public:
  using Options = AnAdvOptions;
  explicit AdversarialNoise(const Options& options) : options_(options) {}
  static base::Doc doc() {
    return {"an-adv", "a step that raises the error of an inversion network", "Li et al. (ResSFL), CVPR 2022"};
  }
  static std::string sites() { return "representation"; }

  Learns learns() const override { return Learns::itself; }
  bool reads_image() const override { return true; }
  std::vector<std::string> claims() const override { return {"the inversion network at the representation"}; }

  void setup(const Context& context) override {
    network_ = nn::make_decoder(options_.decoder, context.representation, context.image, options_.width);
    nn::initialise(*network_, tensor::make_generator(torch::kCPU, context.seed, "an-adv"));
    network_->to(context.runtime.device);
    optimizer_.emplace(network_->parameters(), nn::OptimizerOptions{.rule = nn::Rule::adam});
    mean_.start(context.runtime.device);
  }

  torch::Tensor release(const torch::Tensor& exposed, Site site, Phase, torch::Generator&,
                        const torch::Tensor& images) override {
    if (site != Site::representation) return exposed;
    if (!images.defined()) throw base::Error("[an-adv] perturbs r by the image itself, which is not known here");
    const torch::AutoGradMode with_gradient(true);
    network_->eval();
    const auto r = exposed.detach().to(torch::kFloat32).requires_grad_();
    // Summed, so that each sample's gradient is that of its own error.
    const auto error = (network_->forward(r).to(torch::kFloat32) - images).square().sum();
    const auto direction = torch::autograd::grad({error}, {r}).front().sign();
    return exposed + options_.epsilon * direction;
  }

  void update_adversary(const Step& step) override {
    network_->train();
    const auto seen = step.representation.detach().to(torch::kFloat32);
    for (std::int64_t i = 0; i < options_.steps; ++i) {
      optimizer_->zero_grad();
      const auto error = torch::mse_loss(network_->forward(seen), step.images);
      error.backward();
      optimizer_->step(options_.rate);
      if (i == 0) mean_.add(error);
    }
  }

  EpochReport end_epoch() override {
    EpochReport report;
    if (const auto mean = mean_.take()) report.values["inversion_mse"] = *mean;
    return report;
  }

  /// Under the name that adaptive attacks look for: they begin with this network.
  std::map<std::string, std::shared_ptr<torch::nn::Module>> modules() override { return {{"psi", network_}}; }

  std::map<std::string, torch::Tensor> state() override {
    auto state = optimizer_->state();
    state["sums"] = mean_.sums;
    return state;
  }
  void load_state(const std::map<std::string, torch::Tensor>& state) override {
    load_into({{"sums", mean_.sums}}, state, "an-adv");
    optimizer_->load_state(state);
  }

 private:
  Options options_;
  nn::LayerPtr network_;
  std::optional<nn::Optimizer> optimizer_;
  EpochMean mean_;
};

const bool kAdversarialNoiseRegistered = register_defense<AdversarialNoise>();

}  // namespace
}  // namespace infoscissors::defense
