#include "infoscissors/attack/assignment.h"
#include "infoscissors/attack/attack.h"
#include "infoscissors/attack/kmeans.h"
#include "infoscissors/attack/query.h"
#include "infoscissors/attack/sampling.h"
#include "infoscissors/attack/standardize.h"
#include "infoscissors/tensor/device.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace infoscissors::attack {
namespace {

struct ClusterOptions {
  std::int64_t labels = 40;
  std::int64_t clusters = 0;
  std::int64_t steps = 100;
  std::int64_t starts = 8;

  base::Fields fields() {
    return {
        {"labels", &labels, base::at_least(2), "labelled auxiliary images, balanced over the classes"},
        {"clusters", &clusters, base::at_least(0), "clusters; 0: as many as classes"},
        {"steps", &steps, base::at_least(1), "most rounds of k-means"},
        {"starts", &starts, base::at_least(1), "runs of k-means; the lowest inertia wins"},
    };
  }
};

/// k-means on the features, each cluster named by the few labelled ones in it.
class Cluster final : public BlackBoxAttack {
 public:
  using Options = ClusterOptions;
  explicit Cluster(Options options) : options_(options) {}

  static AttackDoc doc() {
    return {"cluster", "k-means on v, its clusters matched to classes by a few labelled features",
            "Lloyd 1982; Kuhn 1955", Goal::prediction};
  }

  Outcome run(const BlackBoxView& view) const override {
    const auto chosen = draw_labelled(view, "cluster", options_.labels);
    QueryMeter query(view, "cluster", options_.labels);
    const auto features = labelled_features(view, query, chosen.images, 1, 1)[0];
    const auto received = view.features.to(view.device, torch::kFloat32).flatten(1);
    const auto all = torch::cat({features, received});
    const Standardizer standard(all);
    Outcome outcome;
    outcome.details = {{"queries", query.used()}, {"labels", options_.labels}, {"dead_features", standard.dead()}};
    if (standard.live() == 0) {
      outcome.predictions = chosen.labels.slice(0, 0, 1).repeat({received.size(0)});
      return outcome;
    }
    const auto wanted = options_.clusters == 0 ? view.classes : options_.clusters;
    const auto clusters = k_means(standard.live_only(all), std::min(wanted, all.size(0)), options_.steps,
                                  options_.starts, tensor::make_generator(torch::kCPU, view.seed, "cluster:centres"));
    const auto members = clusters.assigned.slice(0, 0, features.size(0));
    const auto names = name_clusters(members.cpu(), chosen.labels.cpu(), clusters.centres.size(0), view.classes);
    outcome.predictions = names.to(view.device).index_select(0, clusters.assigned.slice(0, features.size(0)));
    outcome.details["inertia"] = clusters.inertia;
    outcome.details["labelled_right"] =
        names.index_select(0, members.cpu()).eq(chosen.labels.cpu()).to(torch::kFloat64).mean().item<double>();
    return outcome;
  }

 private:
  // (clusters) int64: the class of each. Classes and clusters are matched one to one so that as many labelled features
  // as possible lie in their class's cluster; clusters in excess take the majority of what they hold, or class 0.
  static torch::Tensor name_clusters(const torch::Tensor& members, const torch::Tensor& labels, std::int64_t clusters,
                                     std::int64_t classes) {
    std::vector<std::vector<double>> counts(static_cast<std::size_t>(clusters),
                                            std::vector<double>(static_cast<std::size_t>(classes), 0.0));
    for (std::int64_t i = 0; i < labels.size(0); ++i) {
      const auto cluster = static_cast<std::size_t>(members[i].item<std::int64_t>());
      counts[cluster][static_cast<std::size_t>(labels[i].item<std::int64_t>())] += 1;
    }
    std::vector<std::int64_t> names;
    for (const auto& row : counts) names.push_back(std::max_element(row.begin(), row.end()) - row.begin());
    for (const auto& [cluster, name] : match(counts)) names[cluster] = name;
    return torch::tensor(names, torch::kInt64);
  }

  // (cluster, class) pairs, as many as the smaller of both numbers.
  static std::vector<std::pair<std::size_t, std::int64_t>> match(const std::vector<std::vector<double>>& counts) {
    const auto clusters = counts.size(), classes = counts.front().size();
    const bool by_cluster = clusters <= classes;
    std::vector<std::vector<double>> cost(std::min(clusters, classes),
                                          std::vector<double>(std::max(clusters, classes)));
    for (std::size_t cluster = 0; cluster < clusters; ++cluster) {
      for (std::size_t name = 0; name < classes; ++name)
        (by_cluster ? cost[cluster][name] : cost[name][cluster]) = -counts[cluster][name];
    }
    const auto columns = assign_rows(cost);
    std::vector<std::pair<std::size_t, std::int64_t>> pairs;
    for (std::size_t row = 0; row < columns.size(); ++row) {
      if (by_cluster)
        pairs.emplace_back(row, columns[row]);
      else
        pairs.emplace_back(static_cast<std::size_t>(columns[row]), static_cast<std::int64_t>(row));
    }
    return pairs;
  }

  Options options_;
};

const bool kClusterRegistered = register_attack<Cluster>();

}  // namespace
}  // namespace infoscissors::attack
