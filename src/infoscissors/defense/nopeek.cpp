#include "infoscissors/defense/nopeek.h"

#include "infoscissors/defense/defense.h"
#include "infoscissors/defense/epoch_mean.h"
#include "infoscissors/defense/site.h"
#include "infoscissors/defense/state.h"

namespace infoscissors::defense {
namespace {

constexpr double kLeast = 1e-12;  // under the roots, whose derivative at 0 is infinite

/// (n, n) Euclidean distances without their means over rows, columns and all.
torch::Tensor centred_distances(const torch::Tensor& samples) {
  const auto flat = samples.flatten(1).to(torch::kFloat32);
  // Differences, not the expanded square, which loses the distances of near neighbours.
  const auto distances = torch::cdist(flat, flat, 2, /*compute_mode=*/2);
  return distances - distances.mean(0, true) - distances.mean(1, true) + distances.mean();
}

struct NopeekOptions {
  double weight = 1.0;
  std::string site = "representation";
  base::Fields fields() {
    return {
        {"weight", &weight, base::at_least(0), "weight of the distance correlation"},
        site_field(site),
    };
  }
};

/// NoPeek (Vepakomma et al. 2020): the distance correlation between the images and r is added to the loss. On the
/// feature the same is done between the labels (one-hot) and v, after Sun et al. 2022, who take its logarithm.
class Nopeek : public Defense {
 public:
  using Options = NopeekOptions;
  explicit Nopeek(const Options& options) : options_(options) {}
  static base::Doc doc() {
    return {"nopeek", "distance correlation between what is exposed and what is secret, lowered in training",
            "Vepakomma et al. 2020; labels: Sun et al. 2022"};
  }
  static std::string sites() { return "representation, feature"; }
  std::vector<std::string> claims() const override { return claims_at(options_.site, "the distance correlation"); }

  void setup(const Context& context) override {
    classes_ = context.classes;
    for (const auto site : covered_sites(options_.site)) means_[site].start(context.runtime.device);
  }

  torch::Tensor penalty(const Step& step) override {
    torch::Tensor sum;
    for (auto& [site, mean] : means_) {
      const auto correlation = site == Site::representation
                                   ? distance_correlation(step.images, step.representation)
                                   : distance_correlation(torch::one_hot(step.labels, classes_), step.feature);
      mean.add(correlation);
      sum = sum.defined() ? sum + correlation : correlation;
    }
    return options_.weight * sum;
  }

  EpochReport end_epoch() override {
    EpochReport report;
    for (auto& [site, mean] : means_) {
      if (const auto value = mean.take()) report.values["distance_correlation_" + to_string(site)] = *value;
    }
    return report;
  }

  std::map<std::string, torch::Tensor> state() override {
    std::map<std::string, torch::Tensor> state;
    for (const auto& [site, mean] : means_) state["sums_" + to_string(site)] = mean.sums;
    return state;
  }
  void load_state(const std::map<std::string, torch::Tensor>& state) override {
    load_into(this->state(), state, "nopeek");
  }

 private:
  Options options_;
  std::int64_t classes_ = 0;
  std::map<Site, EpochMean> means_;
};

const bool kNopeekRegistered = register_defense<Nopeek>();

}  // namespace

torch::Tensor distance_correlation(const torch::Tensor& a, const torch::Tensor& b) {
  const auto left = centred_distances(a), right = centred_distances(b);
  const auto covariance = [](const torch::Tensor& p, const torch::Tensor& q) {
    return (p * q).mean().clamp_min(kLeast);
  };
  const auto variances = covariance(left, left).sqrt() * covariance(right, right).sqrt();
  return covariance(left, right).sqrt() / variances.sqrt();
}

}  // namespace infoscissors::defense
