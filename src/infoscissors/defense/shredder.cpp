#include "infoscissors/defense/defense.h"
#include "infoscissors/defense/epoch_mean.h"
#include "infoscissors/defense/noise.h"
#include "infoscissors/defense/state.h"

namespace infoscissors::defense {
namespace {

constexpr double kEdge = 1e-12;  // keeps the quantile function off its infinite ends
constexpr std::int64_t kRow = 1;

struct ShredderOptions {
  double weight = 1e-3;
  std::int64_t tensors = 8;
  double scale = 1.0;
  double target = 1.0;

  base::Fields fields() {
    using namespace base;
    return {
        {"weight", &weight, at_least(0), "lambda: reward for each unit of the noise's L1 norm"},
        {"tensors", &tensors, between(1, 1024), "noise tensors that are learnt"},
        {"scale", &scale, greater_than(0), "scale b of the Laplace draws with which they start"},
        {"target", &target, greater_than(0), "variance of a noise tensor over E[r^2] at which the reward ends"},
    };
  }
};

/// The tensors as parameters: (T, C, H, W).
class NoiseTensors : public torch::nn::Module {
 public:
  explicit NoiseTensors(const torch::Tensor& start) : values(register_parameter("values", start)) {}
  torch::Tensor values;
};

/// Shredder (Mireshghallah et al., ASPLOS 2020): noise tensors n, started from Laplace draws, learn to leave the
/// prediction intact while they grow, CE(r + n) - lambda sum |n|; the network stays fixed when the run adds the defence
/// to a trained one. Each image of a training step meets one of the tensors at random, so all learn at once. Afterwards
/// an image gets a fresh tensor: a random n is chosen, its elements are replaced by sorted draws from the Laplace
/// distribution that fits them, in the order of the elements of n.
class Shredder : public Defense {
 public:
  using Options = ShredderOptions;
  explicit Shredder(const Options& options) : options_(options) {}
  static base::Doc doc() {
    return {"shredder", "noise distributions learnt for a trained network", "Mireshghallah et al., ASPLOS 2020"};
  }
  static std::string sites() { return "representation"; }

  Learns learns() const override { return Learns::itself; }
  std::vector<std::string> claims() const override { return {"the learnt noise at the representation"}; }

  void setup(const Context& context) override {
    auto sizes = context.representation;
    sizes.insert(sizes.begin(), options_.tensors);
    auto generator = tensor::make_generator(torch::kCPU, context.seed, "shredder");
    const auto start = options_.scale * unit_laplace(sizes, torch::kCPU, generator);
    noise_ = std::make_shared<NoiseTensors>(start.to(context.runtime.device));
    mean_.start(context.runtime.device);
  }

  torch::Tensor release(const torch::Tensor& exposed, Site site, Phase phase, torch::Generator& generator,
                        const torch::Tensor&) override {
    if (site != Site::representation) return exposed;
    const auto chosen = torch::randint(options_.tensors, {exposed.size(0)}, generator,
                                       torch::TensorOptions(torch::kInt64).device(exposed.device()));
    if (phase != Phase::train) return exposed + fresh(chosen, generator).view(exposed.sizes());
    power_ = exposed.detach().to(torch::kFloat32).square().mean();
    return exposed + noise_->values.index_select(0, chosen);
  }

  torch::Tensor penalty(const Step&) override {
    const auto flat = noise_->values.flatten(1);
    const auto ratio = flat.detach().var(1, /*unbiased=*/false) / power_;
    mean_.add(ratio.mean());
    return -options_.weight * (flat.abs().sum(1) * ratio.lt(options_.target)).mean();
  }

  EpochReport end_epoch() override {
    EpochReport report;
    if (const auto mean = mean_.take()) report.values["noise_to_signal"] = *mean;
    return report;
  }

  std::vector<torch::Tensor> trained_parameters() override { return {noise_->values}; }
  std::map<std::string, std::shared_ptr<torch::nn::Module>> modules() override { return {{"noise", noise_}}; }
  std::map<std::string, torch::Tensor> state() override { return {{"sums", mean_.sums}}; }
  void load_state(const std::map<std::string, torch::Tensor>& state) override {
    load_into(this->state(), state, "shredder");
  }

 private:
  /// A tensor for each index, (B, elements): Laplace(median, mean absolute deviation) of the chosen one.
  torch::Tensor fresh(const torch::Tensor& chosen, torch::Generator& generator) const {
    const auto flat = noise_->values.detach().flatten(1);
    const auto location = std::get<0>(flat.median(1, /*keepdim=*/true));
    const auto spread = (flat - location).abs().mean(1, /*keepdim=*/true);
    const auto ranks = flat.argsort(kRow).argsort(kRow);  // of each element among those of its tensor, from 0
    const auto sorted = sorted_laplace(chosen.size(0), flat.size(1), generator);
    const auto ordered = sorted.gather(1, ranks.index_select(0, chosen));
    return location.index_select(0, chosen) + spread.index_select(0, chosen) * ordered;
  }

  /// Rows of independent Laplace(0, 1) draws in rising order. Normalised sums of exponential gaps have the distribution
  /// of sorted uniform draws, so nothing needs to be sorted.
  torch::Tensor sorted_laplace(std::int64_t rows, std::int64_t count, torch::Generator& generator) const {
    const auto options = torch::TensorOptions(torch::kFloat64).device(noise_->values.device());
    const auto sums = torch::empty({rows, count + 1}, options).exponential_(1, generator).cumsum(1);
    const auto uniform = (sums.slice(1, 0, count) / sums.slice(1, count)).clamp(kEdge, 1 - kEdge) - 0.5;
    return (-uniform.sign() * torch::log1p(-2 * uniform.abs())).to(torch::kFloat32);
  }

  Options options_;
  std::shared_ptr<NoiseTensors> noise_;
  torch::Tensor power_;  // E[r^2] of the step's release
  EpochMean mean_;
};

const bool kShredderRegistered = register_defense<Shredder>();

}  // namespace
}  // namespace infoscissors::defense
