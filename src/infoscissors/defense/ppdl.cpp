#include "infoscissors/defense/defense.h"
#include "infoscissors/defense/noise.h"
#include "infoscissors/defense/site.h"

#include <algorithm>
#include <cmath>

namespace infoscissors::defense {
namespace {

struct PpdlOptions {
  double share = 0.25;
  double epsilon = 1.8;
  double sensitivity = 1.0;
  double gamma = 0.001;
  double tau = 0.0001;
  std::string site = "representation";

  base::Fields fields() {
    using namespace base;
    return {
        {"share", &share, Constraint{.low = 0, .high = 1, .low_open = true, .high_open = false, .choices = {}},
         "theta_u: largest share of each sample's coordinates that is released"},
        {"epsilon", &epsilon, greater_than(0), "privacy budget of one sample, over all its coordinates"},
        {"sensitivity", &sensitivity, greater_than(0), "of one coordinate; 2 gamma bounds what is clipped to gamma"},
        {"gamma", &gamma, greater_than(0), "largest magnitude of a coordinate"},
        {"tau", &tau, at_least(0), "threshold of the selection"},
        site_field(site, /*gradient=*/true),
    };
  }
};

/// Which coordinates the sparse-vector technique accepts. The thresholds change with each acceptance, so the
/// coordinates are visited one after the other. scores: (B, n), thresholds: (B, c), order: (n) int64, all on the CPU ->
/// (B, n) with 1 where accepted.
torch::Tensor accept(const torch::Tensor& scores, const torch::Tensor& thresholds, const torch::Tensor& order) {
  auto mask = torch::zeros_like(scores);
  const auto score = scores.accessor<float, 2>(), threshold = thresholds.accessor<float, 2>();
  const auto visit = order.accessor<std::int64_t, 1>();
  auto accepted = mask.accessor<float, 2>();
  for (std::int64_t sample = 0; sample < scores.size(0); ++sample) {
    std::int64_t count = 0;
    for (std::int64_t i = 0; i < order.size(0) && count < thresholds.size(1); ++i) {
      if (score[sample][visit[i]] < threshold[sample][count]) continue;
      accepted[sample][visit[i]] = 1;
      ++count;
    }
  }
  return mask;
}

/// Privacy-preserving deep learning (Shokri and Shmatikov 2015): of each sample's n coordinates, visited in
/// random order, at most c = floor(share n) are released, those whose noisy clipped magnitude reaches a noisy
/// threshold, with noise of their own; the rest is 0, also when the coordinates run out first. Of the budget 8/9 go
/// to the selection and 1/9 to the values (the code published with Fu et al. 2022 spends 8/9 + 2/9). Gradients pass
/// unchanged to what is released: the clipping behind the noise has derivative 0 nearly everywhere.
class Ppdl : public Defense {
 public:
  using Options = PpdlOptions;
  explicit Ppdl(const Options& options) : options_(options) {}
  static base::Doc doc() {
    return {"ppdl", "a noisy selection of coordinates, clipped and released with noise",
            "Shokri and Shmatikov, CCS 2015; Fu et al., USENIX Security 2022"};
  }
  static std::string sites() { return "representation, feature, gradient"; }

  Learns learns() const override { return options_.site == kGradient ? Learns::network : Learns::nothing; }

  torch::Tensor release(const torch::Tensor& exposed, Site site, Phase, torch::Generator& generator,
                        const torch::Tensor&) override {
    return covers(options_.site, site) ? select(exposed, generator) : exposed;
  }

  torch::Tensor release_gradient(const torch::Tensor& gradient, torch::Generator& generator) override {
    return options_.site == kGradient ? select(gradient, generator).to(gradient.scalar_type()) : gradient;
  }

 private:
  torch::Tensor select(const torch::Tensor& samples, torch::Generator& generator) const {
    const auto flat = samples.flatten(1).to(torch::kFloat32);
    const auto batch = flat.size(0), count = flat.size(1);
    // Without the margin 0.29 of 100 would be 28. Where the share is below one coordinate, one is released.
    const auto most = std::max<std::int64_t>(
        1, static_cast<std::int64_t>(std::floor(options_.share * static_cast<double>(count) + 1e-9)));
    const auto scale = [&](double part) {
      return 2 * static_cast<double>(most) * options_.sensitivity / (part * options_.epsilon);
    };
    const double selection = scale(8.0 / 9), value = scale(1.0 / 9);
    const auto laplace = [&](std::int64_t columns, double b) {
      return b * unit_laplace({batch, columns}, flat.device(), generator);
    };
    const auto plain = flat.detach();
    const auto scores = plain.clamp(-options_.gamma, options_.gamma).abs() + laplace(count, 2 * selection);
    const auto thresholds = options_.tau + laplace(most, selection);
    // One order for the batch: it depends on no data, so each sample is released as it would be alone.
    const auto order =
        torch::randperm(count, generator, torch::TensorOptions(torch::kInt64).device(flat.device())).cpu();
    const auto mask = accept(scores.cpu(), thresholds.cpu(), order).to(flat.device());
    const auto released = (plain + laplace(count, value)).clamp(-options_.gamma, options_.gamma);
    return ((released + (flat - plain)) * mask).view(samples.sizes());
  }

  Options options_;
};

const bool kPpdlRegistered = register_defense<Ppdl>();

}  // namespace
}  // namespace infoscissors::defense
