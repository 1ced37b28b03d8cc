#include "infoscissors/defense/clusters.h"
#include "infoscissors/defense/defense.h"
#include "infoscissors/defense/epoch_mean.h"
#include "infoscissors/defense/state.h"

#include <optional>
#include <utility>

namespace infoscissors::defense {
namespace {

struct CemOptions {
  double weight = 8.0;
  double scale = 0.025;
  std::int64_t clusters = 15;
  double threshold = 0.125;
  double full_rate = 1e-4;

  base::Fields fields() {
    using namespace base;
    return {
        {"weight", &weight, at_least(0), "weight of the entropy term"},
        {"scale", &scale, at_least(0), "standard deviation s of the Gaussian noise on r"},
        {"clusters", &clusters, between(1, 1000), "clusters of each class; 5 behind a sigmoid bottleneck"},
        {"threshold", &threshold, at_least(0), "of s^2: a cluster whose variance is below it is pushed no more"},
        {"full_rate", &full_rate, at_least(0),
         "learning rate at which the weight counts in full; above, it falls as 1 / rate; 0: in full at any rate"},
    };
  }
};

/// Conditional entropy maximisation (Xia et al., CVPR 2025): r leaves the device with Gaussian noise, and training
/// pulls the clean representations of a class together around a few cluster centres until their spread is hidden by the
/// noise, so that little of x is left to tell given r. The term starts with the second epoch, when the clusters are
/// known.
class Cem : public Defense {
 public:
  using Options = CemOptions;
  explicit Cem(const Options& options) : options_(options) {}
  static base::Doc doc() {
    return {"cem", "conditional entropy maximisation: clustered representations behind Gaussian noise",
            "Xia et al., CVPR 2025"};
  }
  static std::string sites() { return "representation"; }
  std::vector<std::string> claims() const override { return {"the entropy term at the representation"}; }

  void setup(const Context& context) override {
    clusters_.emplace(context.classes, options_.clusters, nn::element_count(context.representation),
                      context.runtime.device);
    mean_.start(context.runtime.device);
  }

  torch::Tensor release(const torch::Tensor& exposed, Site site, Phase phase, torch::Generator& generator,
                        const torch::Tensor&) override {
    if (site != Site::representation) return exposed;
    const auto clean = exposed.to(torch::kFloat32);
    if (phase == Phase::train) clean_ = clean.flatten(1);
    return clean + options_.scale * torch::randn(clean.sizes(), generator, clean.options());
  }

  void update_adversary(const Step& step) override { clusters_->observe(clean_.detach(), step.labels); }

  torch::Tensor penalty(const Step& step) override {
    const auto clean = std::exchange(clean_, torch::Tensor());
    if (!clusters_->ready()) return {};
    const auto entropy =
        cluster_entropy(*clusters_, clean, step.labels, {.scale = options_.scale, .threshold = options_.threshold});
    mean_.add(entropy);
    return weight(step.rate) * entropy;
  }

  EpochReport end_epoch() override {
    clusters_->end_epoch();
    const auto mean = mean_.take();
    return {.values = mean ? std::map<std::string, double>{{"cem_nats", *mean}} : std::map<std::string, double>{},
            .warnings = {}};
  }

  std::map<std::string, torch::Tensor> state() override {
    auto state = clusters_->state();
    state["sums"] = mean_.sums;
    return state;
  }
  void load_state(const std::map<std::string, torch::Tensor>& state) override {
    load_into(this->state(), state, "cem");
  }

 private:
  /// The published code couples the weight to the learning rate (1e-4 / rate) until the last decay. With the full
  /// weight from the start the head falls silent before it has learnt anything.
  double weight(double rate) const {
    const bool full = options_.full_rate == 0 || rate <= options_.full_rate;
    return options_.weight * (full ? 1.0 : options_.full_rate / rate);
  }

  Options options_;
  std::optional<Clusters> clusters_;
  torch::Tensor clean_;  // (B, D), of the step's release
  EpochMean mean_;
};

const bool kCemRegistered = register_defense<Cem>();

}  // namespace
}  // namespace infoscissors::defense
