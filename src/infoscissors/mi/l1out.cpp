#include "infoscissors/mi/conditional.h"
#include "infoscissors/tensor/device.h"

#include <cmath>

namespace infoscissors::mi {
namespace {

/// Leave-one-out: mean_j [log q(y_j|x_j) - ln (1/(M-1)) sum_{i != j} q(y_j|x_i)]. The mixture over other x is a valid
/// r(y) in I <= E[ln p(y|x) / r(y)], whatever the x are; besides the held-out ones it uses fitted ones, because more
/// components bring r closer to p(y).
class LeaveOneOut : public ConditionalEstimator {
 public:
  struct Options : FitOptions {
    std::int64_t reference = 8192;
    base::Fields fields() {
      auto list = FitOptions::fields();
      list.push_back({"reference", &reference, base::between(0, 1 << 20), "most fitted x added to the mixture"});
      return list;
    }
  };
  static EstimatorDoc doc() {
    return {"l1out", "leave-one-out: log q(y|x) against the mixture of q(y|x') over the other x'",
            "Poole et al., ICML 2019, equation (13)", Bound::upper,
            "q(y|x) = p(y|x); a misfit of q lowers the first term, which `missing` estimates"};
  }
  explicit LeaveOneOut(const Options& options) : ConditionalEstimator(options), reference_(options.reference) {}
  Bound bound(const Pairs&) const override { return Bound::upper; }

 protected:
  FitState do_fit(const Pairs& pairs, std::uint64_t seed) override {
    auto generator = tensor::make_generator(torch::kCPU, seed, "mi/l1out");
    const auto order =
        torch::randperm(pairs.size(), generator, torch::TensorOptions(torch::kInt64)).to(pairs.x.device());
    reference_pairs_ = pairs.select(order.slice(0, 0, std::min(reference_, pairs.size())));
    return ConditionalEstimator::do_fit(pairs, seed);
  }

  Terms terms(const Pairs& held_out) const override {
    const Factors own = q().factors(held_out.x, held_out);
    const Factors extra = q().factors(reference_pairs_.x, reference_pairs_);
    const auto pieces = piece_count(held_out.size());
    std::vector<torch::Tensor> marginal;
    for (std::int64_t i = 0; i < pieces; ++i) {
      Factors piece = own.slice(held_out.size() * i / pieces, held_out.size() * (i + 1) / pieces);
      piece.left = torch::cat({piece.left, extra.left});
      piece.left_bias = torch::cat({piece.left_bias, extra.left_bias});
      const auto components = static_cast<double>(piece.left.size(0) - 1);
      marginal.push_back(off_diagonal_log_sums(piece).columns - std::log(components));
    }
    const auto positive = own.diagonal();
    Terms result = finish(positive - torch::cat(marginal), positive, held_out);
    result.details["mixture"] = held_out.size() / pieces - 1 + reference_pairs_.size();
    return result;
  }

 private:
  std::int64_t reference_;
  Pairs reference_pairs_;
};

const bool kLeaveOneOutRegistered = register_estimator<LeaveOneOut>();

}  // namespace
}  // namespace infoscissors::mi
