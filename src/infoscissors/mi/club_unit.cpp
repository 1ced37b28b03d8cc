#include "infoscissors/base/error.h"
#include "infoscissors/mi/conditional.h"

namespace infoscissors::mi {
namespace {

/// CLUB with q(y|x) = N(g(x), I) in y's own units, all pairs: the generator form of the defence (Duan et al., NeurIPS
/// 2024, section 4), summed over y's elements. It equals half the mean squared error of a random pairing minus half
/// that of the true one, so it scales with the square of y's units.
class ClubUnit : public ConditionalEstimator {
 public:
  struct Options : FitOptions {
    Options() { transform = "standard"; }
  };
  static EstimatorDoc doc() {
    return {
        "club-unit", "contrastive log-ratio with a unit-variance Gaussian q in y's own units",
        "Duan et al., NeurIPS 2024, section 4; Cheng et al., ICML 2020", Bound::neither,
        "an upper bound only where the true conditional is Gaussian with identity covariance; depends on y's units"};
  }
  explicit ClubUnit(const Options& options) : ConditionalEstimator(options) {
    if (options.transform == "scores") throw base::UsageError("[club-unit] transform=scores would change y's units");
  }
  Bound bound(const Pairs&) const override { return Bound::neither; }

 protected:
  FitState do_fit(const Pairs& pairs, std::uint64_t seed) override {
    if (pairs.labelled()) throw base::UsageError("[club-unit] y must be numbers; for labels use club or vclub-s");
    FitState state = ConditionalEstimator::do_fit(pairs, seed);
    // v = (y - mean) map, hence E[y|x] = mean + E[v|x] map^+, exact on the directions that vary.
    back_ = torch::linalg_pinv(q().coordinates().y_map.to(torch::kFloat64)).to(torch::kFloat32);
    return state;
  }

  Terms terms(const Pairs& held_out) const override {
    const auto y = ((held_out.y - q().coordinates().y_mean) * held_out.y_scale).to(torch::kFloat64);
    const auto g = (q().mean(held_out.x).matmul(back_) * held_out.y_scale).to(torch::kFloat64);
    // -1/2 |y_j - g_i|^2 averaged over j (or i) needs first and second moments only.
    const auto positive = -0.5 * (y - g).square().sum(1);
    const auto y_square = y.square().sum(1);
    const auto g_square = g.square().sum(1);
    const auto rows = -0.5 * (y_square.mean() - 2 * g.matmul(y.mean(0)) + g_square);
    const auto columns = -0.5 * (y_square - 2 * y.matmul(g.mean(0)) + g_square.mean());
    Terms result;
    result.influence = positive - rows - columns + rows.mean();
    result.value = result.influence.mean().item<double>();
    return result;
  }

 private:
  torch::Tensor back_;
};

const bool kClubUnitRegistered = register_estimator<ClubUnit>();

}  // namespace
}  // namespace infoscissors::mi
