#include "infoscissors/defense/defense.h"
#include "infoscissors/defense/noise.h"
#include "infoscissors/defense/site.h"

namespace infoscissors::defense {
namespace {

/// Additive noise (Titcombe et al. 2021): what is exposed plus independent draws, in training and afterwards. No
/// guarantee goes with it; `dp` has one.
class AdditiveNoise : public Defense {
 public:
  struct Options {
    double scale = 0.1;
    std::string noise = "gaussian";
    std::string site = "representation";
    base::Fields fields() {
      return {
          {"scale", &scale, base::at_least(0), "standard deviation of the Gaussian, or scale b of Laplace noise"},
          {"noise", &noise, noise_kind(), "distribution of the noise"},
          site_field(site),
      };
    }
  };
  explicit AdditiveNoise(const Options& options) : options_(options) {}
  static base::Doc doc() {
    return {"an", "additive Gaussian or Laplace noise, without a guarantee", "Titcombe et al. 2021"};
  }
  static std::string sites() { return "representation, feature"; }

  Learns learns() const override { return Learns::nothing; }

  torch::Tensor release(const torch::Tensor& exposed, Site site, Phase, torch::Generator& generator,
                        const torch::Tensor&) override {
    if (!covers(options_.site, site)) return exposed;
    return exposed + options_.scale * unit_noise(options_.noise, exposed, generator);
  }

 private:
  Options options_;
};

const bool kAdditiveNoiseRegistered = register_defense<AdditiveNoise>();

}  // namespace
}  // namespace infoscissors::defense
