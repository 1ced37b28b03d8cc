#include "infoscissors/mi/critic.h"
#include "infoscissors/mi/objectives.h"

namespace infoscissors::mi {
namespace {

/// SMILE: Donsker-Varadhan with exp T clipped to [exp -tau, exp tau] in the second mean, which bounds the variance and
/// costs the guarantee. The critic is trained with the Jensen-Shannon objective, as its authors do.
class Smile : public CriticEstimator {
 public:
  struct Options : FitOptions {
    double tau = 5;
    base::Fields fields() {
      auto list = FitOptions::fields();
      list.push_back({"tau", &tau, base::greater_than(0), "clipping of T in the mean of exp T, nats"});
      return list;
    }
  };
  static EstimatorDoc doc() {
    return {"smile", "Donsker-Varadhan with a clipped exponential: less variance, no guarantee",
            "Song and Ermon, ICLR 2020, equation (14)", Bound::neither,
            "a lower bound as tau and N grow; clipping biases it upward"};
  }
  explicit Smile(const Options& options) : CriticEstimator(options), tau_(options.tau) {}
  Bound bound(const Pairs&) const override { return Bound::neither; }

 protected:
  torch::Tensor loss(const Factors& batch) override { return jensen_shannon_loss(batch.all()); }

  Terms piece(const Factors& factors) const override {
    const auto mean = exponential_mean(off_diagonal_log_sums(factors, tau_));
    const auto positive = factors.diagonal().to(torch::kFloat64);
    Terms terms;
    terms.influence = positive - mean.log_mean - (mean.ratio - 1);
    terms.value = (positive.mean() - mean.log_mean).item<double>();
    terms.unreliable = mean.unreliable;
    return terms;
  }

 private:
  double tau_;
};

const bool kSmileRegistered = register_estimator<Smile>();

}  // namespace
}  // namespace infoscissors::mi
