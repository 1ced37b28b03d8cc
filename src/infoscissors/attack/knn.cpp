#include "infoscissors/attack/attack.h"
#include "infoscissors/attack/fit.h"
#include "infoscissors/attack/neighbours.h"
#include "infoscissors/attack/query.h"
#include "infoscissors/attack/sampling.h"
#include "infoscissors/attack/standardize.h"

#include <algorithm>
#include <limits>
#include <tuple>
#include <vector>

namespace infoscissors::attack {

torch::Tensor distances(const torch::Tensor& rows, const torch::Tensor& labelled, const std::string& metric) {
  if (metric == "euclidean") return torch::cdist(rows, labelled);
  const auto unit = [](const torch::Tensor& t) { return t / t.norm(2, {1}, true).clamp_min(1e-12); };
  return 1 - unit(rows).matmul(unit(labelled).t());
}

torch::Tensor vote(const torch::Tensor& distances, const torch::Tensor& labels, std::int64_t neighbours,
                   std::int64_t classes) {
  const auto [sorted, order] = distances.sort(/*stable=*/true, 1, /*descending=*/false);
  const auto nearest = labels.index_select(0, order.slice(1, 0, neighbours).flatten()).view({distances.size(0), -1});
  const auto votes = torch::one_hot(nearest, classes);  // (N, k, K)
  // The position of each class's nearest member breaks ties: fewer votes cannot be outweighed by it.
  const auto k = nearest.size(1);
  const auto place = torch::arange(k, nearest.options()).view({1, k, 1});
  const auto first = torch::where(votes.gt(0), place, torch::full_like(place, k)).amin(1);
  return (votes.sum(1) * (k + 1) - first).argmax(1);
}

namespace {

constexpr std::int64_t kCandidates[] = {1, 3, 5, 7};  // numbers of neighbours that leave-one-out chooses from

struct KnnOptions {
  std::int64_t labels = 40;
  std::int64_t neighbours = 1;
  std::string metric = "euclidean";

  base::Fields fields() {
    return {
        {"labels", &labels, base::at_least(2), "labelled auxiliary images, balanced over the classes"},
        {"neighbours", &neighbours, base::at_least(0),
         "neighbours that vote; 0: 1, 3, 5 or 7, chosen by leaving one labelled feature out"},
        {"metric", &metric, base::one_of({"euclidean", "cosine"}), "distance between features"},
    };
  }
};

/// The label of the nearest labelled feature.
class Knn final : public BlackBoxAttack {
 public:
  using Options = KnnOptions;
  explicit Knn(Options options) : options_(std::move(options)) {}

  static AttackDoc doc() {
    return {"knn", "the label of the nearest labelled feature", "Cover and Hart 1967", Goal::prediction};
  }

  Outcome run(const BlackBoxView& view) const override {
    const auto chosen = draw_labelled(view, "knn", options_.labels);
    QueryMeter query(view, "knn", options_.labels);
    const auto features = labelled_features(view, query, chosen.images, 1, 1)[0];
    const auto received = view.features.to(view.device, torch::kFloat32).flatten(1);
    const Standardizer standard(torch::cat({features, received}));
    Outcome outcome;
    outcome.details = {{"queries", query.used()}, {"labels", options_.labels}, {"dead_features", standard.dead()}};
    if (standard.live() == 0) {
      outcome.predictions = chosen.labels.slice(0, 0, 1).repeat({received.size(0)});
      return outcome;
    }
    const auto known = standard.live_only(features);
    const auto neighbours = choose(known, chosen.labels, view.classes, outcome.details);
    outcome.predictions = in_slices(received, view.device, [&](const torch::Tensor& v) {
      return vote(distances(standard.live_only(v), known, options_.metric), chosen.labels, neighbours, view.classes);
    });
    return outcome;
  }

 private:
  // The number of neighbours with the most labelled features right when each is left out in turn, the smallest of them.
  std::int64_t choose(const torch::Tensor& known, const torch::Tensor& labels, std::int64_t classes,
                      base::Json& details) const {
    const auto count = known.size(0);
    auto chosen = std::min(options_.neighbours, count);
    if (options_.neighbours == 0) {
      auto apart = distances(known, known, options_.metric);
      apart.fill_diagonal_(std::numeric_limits<double>::infinity());
      double best = -1;
      for (const auto k : kCandidates) {
        if (k >= count) break;
        const auto right = vote(apart, labels, k, classes).eq(labels).to(torch::kFloat64).mean().item<double>();
        if (right > best) std::tie(best, chosen) = std::tuple(right, k);
      }
      details["validation_accuracy"] = best;
    }
    details["neighbours"] = chosen;
    return chosen;
  }

  Options options_;
};

const bool kKnnRegistered = register_attack<Knn>();

}  // namespace
}  // namespace infoscissors::attack
