#include "infoscissors/mi/critic.h"
#include "infoscissors/mi/objectives.h"

#include <cmath>

namespace infoscissors::mi {
namespace {

/// MINE: the Donsker-Varadhan bound E_p(x,y)[T] - ln E_p(x)p(y)[exp T]. The gradient of the logarithm of a batch's mean
/// is biased; its denominator is replaced by an exponential moving average over batches.
class Mine : public CriticEstimator {
 public:
  struct Options : FitOptions {
    double decay = 0.99;
    base::Fields fields() {
      auto list = FitOptions::fields();
      list.push_back(
          {"decay", &decay, base::half_open(0, 1), "of the moving average in the gradient; 0: none (biased)"});
      return list;
    }
  };
  static EstimatorDoc doc() {
    return {"mine", "Donsker-Varadhan lower bound, trained with a moving average against the gradient's bias",
            "Belghazi et al., ICML 2018, section 3.2", Bound::lower,
            "as N grows; at finite N the logarithm of a sample mean biases it upward"};
  }
  explicit Mine(const Options& options) : CriticEstimator(options), decay_(options.decay) {}

 protected:
  FitState do_fit(const Pairs& pairs, std::uint64_t seed) override {
    average_ = -1;
    return CriticEstimator::do_fit(pairs, seed);
  }

  torch::Tensor loss(const Factors& batch) override {
    const auto scores = batch.all();
    const double current = std::exp(batch_log_mean_exp(scores.detach()).item<double>());
    average_ = average_ < 0 ? current : decay_ * average_ + (1 - decay_) * current;
    return mine_loss(scores, average_);
  }

  Terms piece(const Factors& factors) const override {
    const auto mean = exponential_mean(off_diagonal_log_sums(factors));
    const auto positive = factors.diagonal().to(torch::kFloat64);
    Terms terms;
    terms.influence = positive - mean.log_mean - (mean.ratio - 1);  // the logarithm linearised at the mean
    terms.value = (positive.mean() - mean.log_mean).item<double>();
    terms.unreliable = mean.unreliable;
    return terms;
  }

 private:
  double decay_;
  double average_ = -1;  // of E[exp T]; negative before the first batch
};

const bool kMineRegistered = register_estimator<Mine>();

}  // namespace
}  // namespace infoscissors::mi
