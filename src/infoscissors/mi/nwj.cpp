#include "infoscissors/mi/critic.h"
#include "infoscissors/mi/objectives.h"

#include <cmath>

namespace infoscissors::mi {
namespace {

/// Nguyen-Wainwright-Jordan: E_p(x,y)[T] - E_p(x)p(y)[exp T] + 1, the second mean over all off-diagonal pairs. (The
/// usual form E[f] - E[exp(f - 1)] with f = T + 1.)
class Nwj : public CriticEstimator {
 public:
  struct Options : FitOptions {};
  static EstimatorDoc doc() {
    return {"nwj", "f-divergence lower bound, unbiased, of large variance at high information",
            "Nguyen, Wainwright and Jordan, IEEE Trans. IT 56 (2010); Poole et al., ICML 2019, equation (7)",
            Bound::lower, "any critic, any N; the variance of exp T grows like exp of the information"};
  }
  explicit Nwj(const Options& options) : CriticEstimator(options) {}

 protected:
  torch::Tensor loss(const Factors& batch) override { return nwj_loss(batch.all()); }

  Terms piece(const Factors& factors) const override {
    const auto mean = exponential_mean(off_diagonal_log_sums(factors));
    const double exponential = std::exp(mean.log_mean);
    Terms terms;
    terms.influence = factors.diagonal().to(torch::kFloat64) - exponential * mean.ratio + 1;
    terms.value = terms.influence.mean().item<double>();
    terms.unreliable = mean.unreliable;
    return terms;
  }
};

const bool kNwjRegistered = register_estimator<Nwj>();

}  // namespace
}  // namespace infoscissors::mi
