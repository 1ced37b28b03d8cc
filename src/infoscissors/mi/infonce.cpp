#include "infoscissors/mi/critic.h"

#include <cmath>

namespace infoscissors::mi {
namespace {

/// InfoNCE: mean_i [T(i, i) - ln (1/N) sum_j exp T(i, j)] <= ln N.
class InfoNce : public CriticEstimator {
 public:
  struct Options : FitOptions {};
  static EstimatorDoc doc() {
    return {"infonce", "contrastive lower bound with low variance and a ceiling of ln N",
            "van den Oord et al. 2018; Poole et al., ICML 2019, equation (10)", Bound::lower,
            "any critic, any N; never above ln N"};
  }
  explicit InfoNce(const Options& options) : CriticEstimator(options) {}

 protected:
  torch::Tensor loss(const Factors& batch) override { return -infonce_terms(batch).mean(); }

  Terms piece(const Factors& factors) const override {
    Terms terms;
    terms.influence = infonce_terms(factors).to(torch::kFloat64);
    terms.value = terms.influence.mean().item<double>();
    terms.ceiling = std::log(static_cast<double>(factors.right.size(0)));
    return terms;
  }
};

const bool kInfoNceRegistered = register_estimator<InfoNce>();

}  // namespace
}  // namespace infoscissors::mi
