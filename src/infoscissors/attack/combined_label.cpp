#include "infoscissors/attack/attack.h"
#include "infoscissors/attack/completion.h"
#include "infoscissors/attack/fit.h"
#include "infoscissors/attack/query.h"

#include <optional>

namespace infoscissors::attack {
namespace {

struct CombinedLabelOptions : CompletionOptions {
  std::int64_t pool = 2;
  std::int64_t draws = 1;

  base::Fields fields() {
    auto list = CompletionOptions::fields();
    list.push_back({"pool", &pool, base::between(1, 64), "cells a side to which r is averaged"});
    list.push_back({"draws", &draws, base::at_least(1), "queries for each labelled image"});
    return list;
  }
};

/// Model completion on everything that crosses the wire.
class CombinedLabel final : public BlackBoxAttack {
 public:
  static constexpr const char* kName = "combined-label";
  using Options = CombinedLabelOptions;
  explicit CombinedLabel(Options options) : options_(std::move(options)) {}

  static AttackDoc doc() {
    return {kName, "pmc on both tensors: a head on v, on averaged r or on both, whichever cross-validation prefers",
            "Fu et al. 2022, section 4.1; the use of r is this project's", Goal::prediction};
  }

  Outcome run(const BlackBoxView& view) const override {
    const auto chosen = draw_labelled(view, kName, options_.labels);
    QueryMeter query(view, kName, options_.labels * options_.draws);
    std::vector<torch::Tensor> maps, features;
    for (std::int64_t i = 0; i < options_.draws; ++i) {
      const auto answer = query(chosen.images);  // one answer gives both, as an attacked input does
      maps.push_back(pooled(answer, view.device));
      features.push_back(features_of(view, answer));
    }
    const Evidence of_r{torch::stack(maps), pooled(view.representations, view.device)};
    const Evidence of_v{torch::stack(features), view.features.to(view.device, torch::kFloat32).flatten(1)};
    const Evidence both{torch::cat({of_v.labelled, of_r.labelled}, 2), torch::cat({of_v.received, of_r.received}, 1)};
    auto best = complete(kName, both, chosen, options_, view);
    best.details["source"] = "both";
    consider("v", complete(kName, of_v, chosen, options_, view), best);
    consider("r", complete(kName, of_r, chosen, options_, view), best);
    best.details["queries"] = query.used();
    return best;
  }

 private:
  static constexpr const char* kLoss = "validation_cross_entropy";

  // The attacker's own held-out cross-entropy decides; where nothing could be held out, both sources are used.
  static void consider(const char* source, Outcome other, Outcome& best) {
    if (!other.details.contains(kLoss) || !best.details.contains(kLoss)) return;
    if (other.details.at(kLoss).get<double>() >= best.details.at(kLoss).get<double>()) return;
    best = std::move(other);
    best.details["source"] = source;
  }

  // (B, C, H, W) -> (B, C * pool^2) means over cells; anything else is taken as it is, flat.
  torch::Tensor pooled(const torch::Tensor& representations, const torch::Device& device) const {
    return in_slices(representations, device, [&](const torch::Tensor& r) {
      if (r.dim() != 4) return r.flatten(1);
      const auto cells = [&](std::int64_t size) { return std::min(options_.pool, size); };
      return torch::adaptive_avg_pool2d(r, {cells(r.size(2)), cells(r.size(3))}).flatten(1);
    });
  }

  Options options_;
};

const bool kCombinedLabelRegistered = register_attack<CombinedLabel>();

}  // namespace
}  // namespace infoscissors::attack
