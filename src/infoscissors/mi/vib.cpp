#include "infoscissors/mi/conditional.h"

namespace infoscissors::mi {
namespace {

/// The variational upper bound with a fitted marginal: mean [log q(y|x) - log r(y)], r a Gaussian with y's moments (the
/// labels' frequencies). For any r it is E ln p(y|x)/p(y) + KL(p(y) || r) - E KL(p(y|x) || q(y|x)).
class Vib : public ConditionalEstimator {
 public:
  struct Options : FitOptions {};
  static EstimatorDoc doc() {
    return {"vib", "log q(y|x) against a fitted Gaussian marginal r(y)", "Agakov 2004; Alemi et al., ICLR 2017",
            Bound::upper, "q(y|x) = p(y|x), for any r; with a fitted q the misfits of q and r have opposite signs"};
  }
  explicit Vib(const Options& options) : ConditionalEstimator(options) {}
  Bound bound(const Pairs&) const override { return Bound::upper; }

 protected:
  Terms terms(const Pairs& held_out) const override {
    const auto positive = q().factors(held_out.x, held_out).diagonal();
    return finish(positive - q().log_marginal(held_out), positive, held_out);
  }
};

const bool kVibRegistered = register_estimator<Vib>();

}  // namespace
}  // namespace infoscissors::mi
