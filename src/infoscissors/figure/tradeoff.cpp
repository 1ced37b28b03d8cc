#include "infoscissors/base/error.h"
#include "infoscissors/base/spec.h"
#include "infoscissors/figure/curve.h"
#include "infoscissors/results/measure.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

namespace infoscissors::figure {
namespace {

using study::Attack;
using study::Group;
using study::Summary;

// Attacks that share a panel: each group is judged by the one that leaks most on it.
struct Bundle {
  std::string title;
  std::vector<const Attack*> attacks;
};

std::vector<Bundle> bundles(const Summary& summary, const std::string& goal, bool by_decoder) {
  std::vector<Bundle> list;
  for (const auto& attack : summary.attacks) {
    if (attack.goal != goal) continue;
    const std::string title =
        by_decoder && !attack.decoder.empty() ? attack.name() + ", " + attack.decoder : attack.name();
    const auto same = std::find_if(list.begin(), list.end(), [&](const Bundle& one) { return one.title == title; });
    if (same == list.end()) {
      list.push_back({title, {&attack}});
    } else {
      same->attacks.push_back(&attack);
    }
  }
  return list;
}

// The paper's figures show one or two attacks; without a choice of one's own these, as far as they were run.
void keep_usual(std::vector<Bundle>& list, const FigureOptions& options, const std::set<std::string>& usual) {
  if (!options.choice.attacks.empty()) return;
  const auto wanted = [&](const Bundle& bundle) { return usual.contains(bundle.attacks.front()->name()); };
  if (std::any_of(list.begin(), list.end(), wanted)) std::erase_if(list, [&](const auto& one) { return !wanted(one); });
}

Panel panel_of(const Summary& summary, const study::Place& place, const Bundle& bundle, const std::string& goal,
               const FigureOptions& options, Spreads kind) {
  Panel panel{joined(place_title(summary, place), bundle.title),
              goal == "input" ? kSsimAxis : kLabelsAxis,
              kAccuracyAxis,
              false,
              {}};
  for (const auto& family : summary.families()) {
    Series series{family, family, {}};
    for (const auto& group : summary.groups) {
      if (group.place != place || group.defense != family) continue;
      const auto* attack = worst(group, bundle.attacks);
      if (attack == nullptr) continue;
      auto leaked = group.values(attack->spec, results::main_measure(goal));
      if (goal == "prediction") leaked = in_percent(std::move(leaked));
      add_point(series, leaked, in_percent(group.values("", "accuracy")), kind, options.bootstrap);
    }
    if (!series.points.empty()) panel.series.push_back(std::move(series));
  }
  return panel;
}

Plot tradeoff(const Summary& summary, const std::vector<Bundle>& list, const std::string& goal,
              const FigureOptions& options, Spreads kind) {
  Plot plot;
  plot.columns = std::clamp(static_cast<int>(list.size()), 1, 3);
  for (const auto& place : summary.places()) {
    for (const auto& bundle : list) {
      auto panel = panel_of(summary, place, bundle, goal, options, kind);
      if (!panel.series.empty()) plot.panels.push_back(std::move(panel));
    }
  }
  return plot;
}

std::string several_text(const std::vector<Bundle>& list) {
  std::string text;
  for (const auto& bundle : list) {
    if (bundle.attacks.size() < 2) continue;
    std::vector<std::string> specs;
    for (const auto* attack : bundle.attacks) specs.push_back(attack->spec);
    text += fmt::format(" \"{}\" is for each point the strongest of {}.", bundle.title, fmt::join(specs, ", "));
  }
  return text;
}

double option_of(const std::string& text, const std::string& name) {
  for (const auto& spec : base::parse_specs(text)) {
    if (spec.name != "infoscissors") continue;
    for (const auto& [key, value] : spec.options) {
      double number = 0;
      if (key == name) std::from_chars(value.data(), value.data() + value.size(), number);
      if (key == name) return number;
    }
  }
  return 0;
}

bool protects_both(const std::string& spec) {
  return option_of(spec, "input") > 0 && option_of(spec, "prediction") > 0;
}

}  // namespace

Plot reconstruction_plot(const study::Study& study, const FigureOptions& options) {
  const auto summary = study::summarise(study.rows, options.choice);
  auto list = bundles(summary, "input", false);
  keep_usual(list, options, {"ka", "rmle"});
  auto plot = tradeoff(summary, list, "input", options, Spreads::bootstrap);
  if (plot.panels.empty())
    throw base::UsageError("figure 4 shows attacks on the input, and these runs have none (ka or rmle, for example)");
  plot.caption = "Accuracy of the device against the SSIM of reconstructed inputs, by defence and strength. " +
                 bootstrap_text(options.bootstrap) + several_text(list);
  return plot;
}

Plot inference_plot(const study::Study& study, const FigureOptions& options) {
  const auto summary = study::summarise(study.rows, options.choice);
  auto list = bundles(summary, "prediction", true);
  keep_usual(list, options, {"pmc"});
  auto plot = tradeoff(summary, list, "prediction", options, Spreads::bootstrap);
  if (plot.panels.empty())
    throw base::UsageError("figure 5 shows attacks on the prediction, and these runs have none (pmc, for example)");
  plot.caption = "Accuracy of the device against the share of labels the server infers, by defence and strength. " +
                 bootstrap_text(options.bootstrap) + several_text(list);
  return plot;
}

Plot both_plot(const study::Study& study, const FigureOptions& options) {
  auto summary = study::summarise(study.rows, options.choice);
  std::erase_if(summary.groups,
                [](const Group& group) { return group.defense != "none" && !protects_both(group.spec); });
  if (std::none_of(summary.groups.begin(), summary.groups.end(),
                   [](const Group& g) { return protects_both(g.spec); })) {
    throw base::UsageError(
        "figure 7 shows infoscissors with input and prediction above 0 at once, and these runs have none");
  }
  auto inputs = bundles(summary, "input", false);
  auto labels = bundles(summary, "prediction", false);
  keep_usual(inputs, options, {"ka"});
  keep_usual(labels, options, {"pmc"});
  Plot plot;
  for (const auto& place : summary.places()) {
    for (const auto& bundle : inputs)
      plot.panels.push_back(panel_of(summary, place, bundle, "input", options, Spreads::range));
    for (const auto& bundle : labels)
      plot.panels.push_back(panel_of(summary, place, bundle, "prediction", options, Spreads::range));
  }
  std::erase_if(plot.panels, [](const Panel& panel) { return panel.series.empty(); });
  if (plot.panels.empty()) throw base::UsageError("figure 7 needs attacks on these runs, and there are none");
  plot.columns = static_cast<int>(std::clamp<std::size_t>(inputs.size() + labels.size(), 1, 3));
  plot.caption =
      "InfoScissors protecting input and prediction at once. Points are means over the seeds, shaded is the range over "
      "them." +
      several_text(inputs) + several_text(labels);
  return plot;
}

}  // namespace infoscissors::figure
