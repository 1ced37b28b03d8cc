#include "infoscissors/base/error.h"
#include "infoscissors/defense/defense.h"
#include "infoscissors/defense/noise.h"
#include "infoscissors/defense/privacy.h"
#include "infoscissors/defense/site.h"

namespace infoscissors::defense {
namespace {

struct DpOptions {
  std::string mode = "calibrated";
  std::string noise = "laplace";
  double epsilon = 1.0;
  double delta = 1e-5;
  double clip = 1.0;
  std::int64_t queries = 1;
  double scale = 0.1;
  std::string site = "representation";

  base::Fields fields() {
    using namespace base;
    return {
        {"mode", &mode, one_of({"calibrated", "raw"}), "with a guarantee, or noise of a given scale without one"},
        {"noise", &noise, noise_kind(), "distribution of the noise"},
        {"epsilon", &epsilon, greater_than(0), "calibrated: nats a single release may tell"},
        {"delta", &delta, Constraint{.low = 0, .high = 1, .low_open = true, .high_open = true, .choices = {}},
         "calibrated: probability with which it may tell more (Gaussian, or many queries)"},
        {"clip", &clip, greater_than(0), "calibrated: largest norm of a sample, L1 for Laplace, L2 for Gaussian"},
        {"queries", &queries, at_least(1), "calibrated: releases of one input for which the total is reported"},
        {"scale", &scale, at_least(0), "raw: scale b of Laplace noise, or the Gaussian's standard deviation"},
        site_field(site, /*gradient=*/true),
    };
  }
};

/// Differential privacy by additive noise (Dwork et al. 2006). `calibrated`: every sample is clipped to norm S, so two
/// samples differ by at most 2S, and the noise follows from that; `raw`: Laplace noise of a given scale on unclipped
/// values, as the label-inference papers use it (Fu et al. 2022), with no guarantee whatever.
class Dp : public Defense {
 public:
  using Options = DpOptions;

  explicit Dp(const Options& options) : options_(options) {
    const Options fresh;
    const auto refuse = [&](const char* name, bool meaningless) {
      if (meaningless) throw base::UsageError("[dp] {} has no meaning with mode={}; leave it out", name, options.mode);
    };
    refuse("scale", calibrated() && options.scale != fresh.scale);
    refuse("epsilon", !calibrated() && options.epsilon != fresh.epsilon);
    refuse("delta", !calibrated() && options.delta != fresh.delta);
    refuse("clip", !calibrated() && options.clip != fresh.clip);
    refuse("queries", !calibrated() && options.queries != fresh.queries);
  }
  static base::Doc doc() {
    return {"dp", "Laplace or Gaussian noise, calibrated to an (epsilon, delta) or raw",
            "Dwork et al., TCC 2006; Balle and Wang, ICML 2018; raw: Fu et al., USENIX Security 2022"};
  }
  static std::string sites() { return "representation, feature, gradient"; }

  std::vector<std::string> claims() const override {
    std::vector<std::string> claims;
    if (!calibrated()) return claims;
    for (const auto& name : site_names()) claims.push_back("the privacy guarantee at the " + name);
    return claims;
  }
  bool guarantees_representation() const override {
    return calibrated() && covers(options_.site, Site::representation);
  }

  Learns learns() const override { return options_.site == kGradient ? Learns::network : Learns::nothing; }

  torch::Tensor release(const torch::Tensor& exposed, Site site, Phase, torch::Generator& generator,
                        const torch::Tensor&) override {
    return covers(options_.site, site) ? perturb(exposed, generator) : exposed;
  }

  torch::Tensor release_gradient(const torch::Tensor& gradient, torch::Generator& generator) override {
    return options_.site == kGradient ? perturb(gradient, generator).to(gradient.scalar_type()) : gradient;
  }

  std::map<std::string, double> measures() const override {
    if (!calibrated()) return {};
    const auto one = laplace() ? Guarantee{options_.epsilon, 0} : Guarantee{options_.epsilon, options_.delta};
    const auto all = laplace() ? compose_laplace(options_.epsilon, options_.delta, options_.queries)
                               : compose_gaussian(scale(), options_.delta, sensitivity(), options_.queries);
    std::map<std::string, double> values;
    for (const auto& name : site_names()) {
      values["dp_epsilon_" + name] = one.epsilon;
      values["dp_delta_" + name] = one.delta;
      values["dp_scale_" + name] = scale();
      values["dp_total_epsilon_" + name] = all.epsilon;
      values["dp_total_delta_" + name] = all.delta;
    }
    return values;
  }

 private:
  bool calibrated() const { return options_.mode == "calibrated"; }
  bool laplace() const { return options_.noise == "laplace"; }
  double sensitivity() const { return 2 * options_.clip; }

  double scale() const {
    if (!calibrated()) return options_.scale;
    return laplace() ? laplace_scale(options_.epsilon, sensitivity())
                     : gaussian_deviation(options_.epsilon, options_.delta, sensitivity());
  }

  std::vector<std::string> site_names() const {
    if (options_.site == kGradient) return {kGradient};
    std::vector<std::string> names;
    for (const auto site : covered_sites(options_.site)) names.push_back(to_string(site));
    return names;
  }

  /// Each sample scaled down to the norm S where it exceeds it.
  torch::Tensor clipped(const torch::Tensor& samples) const {
    const auto norms = samples.flatten(1).norm(laplace() ? 1 : 2, 1).clamp_min(1e-30);
    std::vector<std::int64_t> sizes(static_cast<std::size_t>(samples.dim()), 1);
    sizes[0] = samples.size(0);
    return samples * (options_.clip / norms).clamp_max(1.0).view(sizes);
  }

  torch::Tensor perturb(const torch::Tensor& samples, torch::Generator& generator) const {
    const auto values = samples.to(torch::kFloat32);
    return (calibrated() ? clipped(values) : values) + scale_ * unit_noise(options_.noise, values, generator);
  }

  Options options_;
  double scale_ = scale();
};

const bool kDpRegistered = register_defense<Dp>();

}  // namespace
}  // namespace infoscissors::defense
