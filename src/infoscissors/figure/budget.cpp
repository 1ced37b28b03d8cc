#include "infoscissors/base/error.h"
#include "infoscissors/figure/curve.h"
#include "infoscissors/results/measure.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace infoscissors::figure {
namespace {

using study::Attack;
using study::Group;
using study::Summary;

// Attacks that differ in their budget alone, as far as the long table tells: one line of a panel.
struct Kind {
  std::string name, decoder, goal;
  auto operator<=>(const Kind&) const = default;
  std::string title() const { return decoder.empty() ? name : name + ", " + decoder; }
};

std::map<Kind, std::map<double, std::vector<const Attack*>>> kinds_of(const Summary& summary) {
  std::map<Kind, std::map<double, std::vector<const Attack*>>> kinds;
  for (const auto& attack : summary.attacks) {
    if (std::isfinite(attack.budget))
      kinds[{attack.name(), attack.decoder, attack.goal}][attack.budget].push_back(&attack);
  }
  std::erase_if(kinds, [](const auto& one) { return one.second.size() < 2; });
  return kinds;
}

// The family's strength that leaks least, by the strongest attack of the goal, among those whose accuracy stays within
// the tolerance of the undefended; where none does, the most accurate.
const Group* selected(const Summary& summary, const study::Place& place, const std::string& family,
                      const std::string& goal, double tolerance) {
  double reference = NAN;
  std::vector<const Group*> groups;
  for (const auto& group : summary.groups) {
    if (group.place != place) continue;
    if (group.defense == "none") reference = study::mean_of(group.values("", "accuracy")).mean;
    if (group.defense == family && study::strongest(summary, group, goal) != nullptr) groups.push_back(&group);
  }
  const auto accuracy = [](const Group* group) { return study::mean_of(group->values("", "accuracy")).mean; };
  const auto leaked = [&](const Group* group) {
    return study::leakage(*group, *study::strongest(summary, *group, goal)).mean;
  };
  const Group* best = nullptr;
  for (const auto* group : groups) {
    if (std::isfinite(reference) && !(accuracy(group) >= reference - tolerance)) continue;
    if (best == nullptr || leaked(group) < leaked(best)) best = group;
  }
  if (best != nullptr) return best;
  for (const auto* group : groups) {
    if (best == nullptr || accuracy(group) > accuracy(best)) best = group;
  }
  return best;
}

Series line_of(const Group& group, const std::map<double, std::vector<const Attack*>>& budgets, const std::string& goal,
               const FigureOptions& options) {
  Series series{study::short_name(group), group.defense, {}};
  for (const auto& [budget, attacks] : budgets) {
    const auto* attack = worst(group, attacks);
    if (attack == nullptr) continue;
    auto leaked = group.values(attack->spec, results::main_measure(goal));
    if (goal == "prediction") leaked = in_percent(std::move(leaked));
    study::BySeed at;
    for (const auto& [seed, value] : leaked) at[seed] = budget;
    add_point(series, at, leaked, Spreads::bootstrap, options.bootstrap);
  }
  return series;
}

}  // namespace

Plot budget_plot(const study::Study& study, const FigureOptions& options) {
  const auto summary = study::summarise(study.rows, options.choice);
  const auto kinds = kinds_of(summary);
  if (kinds.empty()) {
    throw base::UsageError(
        "the figure 'budget' shows one attack with several budgets, and these runs have none "
        "(ka(budget=40) and ka(budget=400), for example)");
  }
  Plot plot;
  for (const auto& place : summary.places()) {
    for (const auto& [kind, budgets] : kinds) {
      Panel panel{joined(place_title(summary, place), kind.title()),
                  kind.goal == "input" ? "Images the attacker has" : "Labels the attacker has",
                  kind.goal == "input" ? "SSIM of the reconstruction" : "Labels inferred, %",
                  true,
                  {}};
      for (const auto& family : summary.families()) {
        const auto* group = selected(summary, place, family, kind.goal, options.tolerance);
        if (group == nullptr) continue;
        auto series = line_of(*group, budgets, kind.goal, options);
        if (!series.points.empty()) panel.series.push_back(std::move(series));
      }
      if (!panel.series.empty()) plot.panels.push_back(std::move(panel));
    }
  }
  plot.columns = static_cast<int>(std::clamp<std::size_t>(kinds.size(), 1, 3));
  plot.caption = fmt::format(
      "Leakage against what the attacker has. Each defence at the strength that leaks least to the strongest attack of "
      "its goal among those that lose at most {:g} points of accuracy, or else at its most accurate. {}",
      100 * options.tolerance, bootstrap_text(options.bootstrap));
  return plot;
}

}  // namespace infoscissors::figure
