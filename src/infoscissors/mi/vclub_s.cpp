#include "infoscissors/mi/club.h"
#include "infoscissors/mi/conditional.h"
#include "infoscissors/tensor/device.h"

namespace infoscissors::mi {
namespace {

/// The sampled CLUB: one random negative a pair, as in training.
class VclubSampled : public ConditionalEstimator {
 public:
  struct Options : FitOptions {};
  static EstimatorDoc doc() {
    return {"vclub-s", "contrastive log-ratio with one random negative a pair; softmax q for labels",
            "Cheng et al., ICML 2020, section 3.3", Bound::upper,
            "as club, whose expectation it has; noisier at the same cost"};
  }
  explicit VclubSampled(const Options& options) : ConditionalEstimator(options) {}
  Bound bound(const Pairs&) const override { return Bound::upper; }

 protected:
  FitState do_fit(const Pairs& pairs, std::uint64_t seed) override {
    seed_ = seed;
    return ConditionalEstimator::do_fit(pairs, seed);
  }

  Terms terms(const Pairs& held_out) const override {
    auto generator = tensor::make_generator(torch::kCPU, seed_, "mi/vclub-s");
    const auto other = random_targets(held_out.size(), generator).to(held_out.x.device());
    Factors f = q().factors(held_out.x, held_out);
    const auto positive = f.diagonal();
    f.right = f.right.index_select(0, other);
    return finish(positive - f.diagonal(), positive, held_out);
  }

 private:
  std::uint64_t seed_ = 0;
};

const bool kVclubSampledRegistered = register_estimator<VclubSampled>();

}  // namespace
}  // namespace infoscissors::mi
