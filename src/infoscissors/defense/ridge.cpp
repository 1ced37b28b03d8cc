#include "infoscissors/defense/ridge.h"

#include "infoscissors/defense/defense.h"
#include "infoscissors/defense/epoch_mean.h"
#include "infoscissors/defense/state.h"

#include <algorithm>
#include <map>
#include <string>

namespace infoscissors::defense {
namespace {

constexpr double kShrinkage = 1e-2;
constexpr double kConstant = 1e-6;  // variance of a feature, or sum of squares, below which it counts as constant

torch::Tensor kernel(const torch::Tensor& a, const torch::Tensor& b, bool rbf) {
  const auto inner = a.matmul(b.t());
  if (!rbf) return inner / a.size(1);
  const auto squared = a.square().sum(1, true) + b.square().sum(1) - 2 * inner;
  return (-squared.clamp_min(0) / (2.0 * static_cast<double>(a.size(1)))).exp();
}

// (B, D) standardised -> (B, D) with a covariance of almost the identity: directions of a variance far below kShrinkage
// stay small, which a batch does not tell from noise.
torch::Tensor whitened(const torch::Tensor& standard) {
  const auto covariance = standard.t().matmul(standard) / standard.size(0);
  const auto identity = torch::eye(standard.size(1), standard.options());
  const auto root = std::get<0>(torch::linalg_cholesky_ex(covariance + kShrinkage * identity));
  return torch::linalg_solve_triangular(root, standard.t(), /*upper=*/false).t();
}

struct RidgeOptions {
  double weight = 1.0;
  std::int64_t labels = 40;
  std::string kernel = "rbf";
  double ridge = 1.0;
  double warmup = 1.0;
  bool whiten = true;

  base::Fields fields() {
    using namespace base;
    return {
        {"weight", &weight, at_least(0), "weight of the attacker's gain"},
        {"labels", &labels, between(1, 100000), "labelled features of the attacker, at most two thirds of the batch"},
        {"kernel", &kernel, one_of({"linear", "rbf"}), "what the attacker can see: linear, or every smooth border"},
        {"ridge", &ridge, greater_than(0), "added to the diagonal of the kernel, whose mean is about 1"},
        {"warmup", &warmup, at_least(0), "epochs over which the weight rises from 0"},
        {"whiten", &whiten, any(), "also against an attacker who decorrelates the features first"},
    };
  }
};

/// Against model completion: an attacker with as few labels as the real one, ridge regression inside the batch, is
/// solved in closed form and differentiated through (as Bertinetto et al. do to learn features that few labels suffice
/// for; here for the opposite), and what it predicts of the batch's other labels better than chance is added to the
/// loss. An adversary that sees every label asks for a v that tells nobody anything, the device's classifier included;
/// this one asks for a v that takes more labels than the attacker has.
class Ridge : public Defense {
 public:
  using Options = RidgeOptions;
  explicit Ridge(const Options& options) : options_(options) {}
  static base::Doc doc() {
    return {"ridge", "the gain of an attacker with few labels, in closed form inside the batch, lowered in training",
            "this project; solver after Bertinetto et al., ICLR 2019"};
  }
  static std::string sites() { return "feature"; }
  std::vector<std::string> claims() const override { return {"the closed-form attacker at the feature"}; }

  void setup(const Context& context) override {
    classes_ = context.classes;
    means_[false].start(context.runtime.device);
    if (options_.whiten) means_[true].start(context.runtime.device);
  }

  torch::Tensor penalty(const Step& step) override {
    if (step.labels.size(0) < 2) return {};
    const double ramp = options_.warmup > 0 ? std::min(1.0, step.epoch / options_.warmup) : 1.0;
    torch::Tensor gain;
    for (auto& [whiten, mean] : means_) {
      const auto share = explained_share(step.feature, step.labels, classes_, options_.labels,
                                         {.whiten = whiten, .rbf = options_.kernel == "rbf", .ridge = options_.ridge});
      mean.add(share);
      const auto part = share.clamp_min(0);
      gain = gain.defined() ? gain + part : part;
    }
    return options_.weight * ramp * gain;
  }

  EpochReport end_epoch() override {
    EpochReport report;
    for (auto& [whiten, mean] : means_) {
      if (const auto value = mean.take()) report.values[name(whiten)] = *value;
    }
    return report;
  }

  std::map<std::string, torch::Tensor> state() override {
    std::map<std::string, torch::Tensor> state;
    for (const auto& [whiten, mean] : means_) state[name(whiten)] = mean.sums;
    return state;
  }
  void load_state(const std::map<std::string, torch::Tensor>& state) override {
    load_into(this->state(), state, "ridge");
  }

 private:
  static std::string name(bool whiten) { return whiten ? "ridge_explained_share_whitened" : "ridge_explained_share"; }

  Options options_;
  std::int64_t classes_ = 0;
  std::map<bool, EpochMean> means_;  // by whether the attacker whitens
};

const bool kRidgeRegistered = register_defense<Ridge>();

}  // namespace

torch::Tensor explained_share(const torch::Tensor& feature, const torch::Tensor& labels, std::int64_t classes,
                              std::int64_t known, const RidgeAttacker& attacker) {
  const auto plain = feature.flatten(1).to(torch::kFloat32);
  const auto centred = plain - plain.mean(0);
  const auto scaled = centred / (centred.square().mean(0) + kConstant).sqrt();
  const auto standard = attacker.whiten ? whitened(scaled) : scaled;
  const std::int64_t count = std::clamp<std::int64_t>(known, 1, std::max<std::int64_t>(1, plain.size(0) * 2 / 3));
  const auto theirs = standard.narrow(0, 0, count), others = standard.slice(0, count);
  const auto one_hot = torch::one_hot(labels, classes).to(torch::kFloat32);
  const auto mean = one_hot.narrow(0, 0, count).mean(0);
  const auto target = one_hot.slice(0, count) - mean;

  const auto gram = kernel(theirs, theirs, attacker.rbf) + attacker.ridge * torch::eye(count, standard.options());
  const auto coefficients =
      torch::cholesky_solve(one_hot.narrow(0, 0, count) - mean, std::get<0>(torch::linalg_cholesky_ex(gram)));
  const auto missed = target - kernel(others, theirs, attacker.rbf).matmul(coefficients);
  return 1 - missed.square().sum() / target.square().sum().clamp_min(kConstant);
}

}  // namespace infoscissors::defense
