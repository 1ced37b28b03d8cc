#include "infoscissors/mi/conditional.h"

namespace infoscissors::mi {
namespace {

/// CLUB over all pairs: mean_i log q(y_i|x_i) - mean_ij log q(y_j|x_i). Because q is an exponential family, the second
/// mean is mean_i (T_mean . eta(x_i) - A(x_i)): O(N), no matrix of pairs.
class Club : public ConditionalEstimator {
 public:
  struct Options : FitOptions {};
  static EstimatorDoc doc() {
    return {"club", "contrastive log-ratio, all pairs; Gaussian q(y|x), softmax for labels",
            "Cheng et al., ICML 2020, equation (10)", Bound::upper,
            "q(y|x) = p(y|x), or close to it (theorem 3.2); loose: d rho^2/(1 - rho^2) for Gaussians"};
  }
  explicit Club(const Options& options) : ConditionalEstimator(options) {}
  Bound bound(const Pairs&) const override { return Bound::upper; }

 protected:
  Terms terms(const Pairs& held_out) const override {
    const Factors f = q().factors(held_out.x, held_out);
    const auto positive = f.diagonal().to(torch::kFloat64);
    const auto rows = f.left.matmul(f.right.mean(0)).to(torch::kFloat64) + f.left_bias;
    const auto columns = f.right.matmul(f.left.mean(0)).to(torch::kFloat64) + f.left_bias.mean();
    // Hajek projection of the double mean: pair i enters it once as x and once as y.
    return finish(positive - rows - columns + rows.mean(), positive, held_out);
  }
};

const bool kClubRegistered = register_estimator<Club>();

}  // namespace
}  // namespace infoscissors::mi
