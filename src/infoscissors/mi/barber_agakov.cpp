#include "infoscissors/mi/conditional.h"
#include "infoscissors/mi/neighbours.h"

namespace infoscissors::mi {
namespace {

constexpr double kLog2PiE = 2.8378770664093453;

/// E log q(y|x) + h(y). The first term is at most -h(y|x) for any q, so the sum is a lower bound where h(y) is known.
/// For labels H(y) is the plug-in entropy, whose bias is downward. For numbers h(y) must be estimated.
class BarberAgakov : public ConditionalEstimator {
 public:
  struct Options : FitOptions {
    std::string entropy = "knn";
    base::Fields fields() {
      auto list = FitOptions::fields();
      list.push_back(
          {"entropy", &entropy, base::one_of({"knn", "gaussian"}),
           "h(y) of numbers: nearest neighbours, or the Gaussian of y's covariance, which is the largest possible"});
      return list;
    }
  };
  static EstimatorDoc doc() {
    return {
        "barber-agakov", "mean log q(y|x) plus the entropy of y", "Barber and Agakov, NIPS 2003, equation (3)",
        Bound::lower,
        "labels, whose entropy is known; for numbers neither, since h(y) is an estimate (gaussian: never too small)"};
  }
  explicit BarberAgakov(const Options& options) : ConditionalEstimator(options), entropy_(options.entropy) {}
  Bound bound(const Pairs& pairs) const override { return pairs.labelled() ? Bound::lower : Bound::neither; }

 protected:
  Terms terms(const Pairs& held_out) const override {
    const auto positive = q().factors(held_out.x, held_out).diagonal();
    return finish(positive + information_content(held_out), positive, held_out);
  }

 private:
  // Per-pair terms whose mean is the entropy of y, in the coordinates of q.
  torch::Tensor information_content(const Pairs& pairs) const {
    if (pairs.labelled()) {
      const auto frequency =
          pairs.labels.bincount({}, pairs.classes).to(torch::kFloat64) / static_cast<double>(pairs.size());
      return -frequency.log().index_select(0, pairs.labels);
    }
    const auto v = q().coordinates().v(pairs.y).to(torch::kFloat64);
    if (entropy_ == "knn") return neighbour_entropy_terms(v.to(torch::kFloat32), 3);
    const auto centred = v - v.mean(0);
    const auto covariance = centred.t().matmul(centred) / static_cast<double>(pairs.size() - 1);
    const auto d = static_cast<double>(v.size(1));
    // The logarithm of the Gaussian density: it varies from pair to pair, though its mean is the closed form.
    const auto distance = (torch::linalg_solve(covariance, centred.t()).t() * centred).sum(1);
    return 0.5 * (torch::logdet(covariance) + d * (kLog2PiE - 1) + distance);
  }

  std::string entropy_;
};

const bool kBarberAgakovRegistered = register_estimator<BarberAgakov>();

}  // namespace
}  // namespace infoscissors::mi
