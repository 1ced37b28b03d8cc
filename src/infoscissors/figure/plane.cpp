#include "infoscissors/base/error.h"
#include "infoscissors/figure/curve.h"

#include <fmt/format.h>

#include <array>
#include <set>

namespace infoscissors::figure {
namespace {

using study::Group;
using study::Summary;

constexpr std::array kEstimators = {"l1out", "infonce", "club"};  // in the order of preference
constexpr const char* kWhole = "I(r; x)";
constexpr const char* kTask = "I(r; y)";
constexpr const char* kRest = "I(r; x|y)";

// The metric under which a quantity by this estimator stands; options of the estimator do not matter.
study::BySeed information(const Group& group, const std::string& quantity, const std::string& estimator) {
  for (const auto& [metric, values] : group.own) {
    if (metric.starts_with(quantity + " " + estimator)) return values;
  }
  return {};
}

std::string estimator_of(const Summary& summary) {
  for (const char* estimator : kEstimators) {
    for (const auto& group : summary.groups) {
      if (!information(group, kTask, estimator).empty()) return estimator;
    }
  }
  throw base::UsageError(
      "the figure 'plane' shows estimates of information, and these runs have none: keep them by "
      "`infoscissors mi RUN --json >RUN/{}`",
      study::kInformationFile);
}

study::BySeed ssim(const Summary& summary, const Group& group) {
  const auto* attack = study::strongest(summary, group, "input");
  return attack == nullptr ? study::BySeed{} : group.values(attack->spec, "ssim");
}

template <class X, class Y>
void add_panel(Plot& plot, Panel panel, const Summary& summary, const study::Place& place, const FigureOptions& options,
               X x, Y y) {
  for (const auto& family : summary.families()) {
    Series series{family, family, {}};
    for (const auto& group : summary.groups) {
      if (group.place == place && group.defense == family)
        add_point(series, x(group), y(group), Spreads::bootstrap, options.bootstrap);
    }
    if (!series.points.empty()) panel.series.push_back(std::move(series));
  }
  if (!panel.series.empty()) plot.panels.push_back(std::move(panel));
}

}  // namespace

Plot plane_plot(const study::Study& study, const FigureOptions& options) {
  auto summary = study::summarise(study.rows, options.choice);
  if (options.choice.defenses.empty()) {
    std::erase_if(summary.groups, [](const Group& group) {
      return group.defense != "none" && group.defense != "mid" && !group.defense.starts_with("infoscissors");
    });
  }
  const auto estimator = estimator_of(summary);
  const auto of = [&](const char* quantity) {
    return [&, quantity](const Group& group) { return information(group, quantity, estimator); };
  };
  const auto leaked = [&](const Group& group) { return ssim(summary, group); };
  Plot plot;
  plot.columns = 3;
  for (const auto& place : summary.places()) {
    const auto title = place_title(summary, place);
    add_panel(plot, {joined(title, "information plane"), "I(r; x), nats", "I(r; y), nats", false, {}}, summary, place,
              options, of(kWhole), of(kTask));
    add_panel(plot, {joined(title, "of the label"), kSsimAxis, "I(r; y), nats", false, {}}, summary, place, options,
              leaked, of(kTask));
    add_panel(plot, {joined(title, "of the image, given its label"), kSsimAxis, "I(r; x|y), nats", false, {}}, summary,
              place, options, leaked, of(kRest));
  }
  plot.caption = fmt::format(
      "What the representation tells of the image and of its label, estimated by {} on held-out images; SSIM by the "
      "strongest attack on the input. At equal leakage, more I(r; y) is better. Estimates, not truths: "
      "docs/mutual-information.md says what each bounds. {}",
      estimator, bootstrap_text(options.bootstrap));
  return plot;
}

}  // namespace infoscissors::figure
