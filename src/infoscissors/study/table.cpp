#include "infoscissors/study/table.h"

#include "infoscissors/results/measure.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace infoscissors::study {
namespace {

using results::main_measure;
using results::measure_text;

std::string shown(const Mean& mean, const std::string& measure, const std::string& sign) {
  return measure_text(measure, mean.mean, mean.half_width, sign);
}

/// The parts of a place that differ between the groups, as leading columns.
struct PlaceColumns {
  bool dataset = false, backbone = false, cut = false;

  explicit PlaceColumns(const std::vector<Place>& places) {
    for (const auto& place : places) {
      dataset = dataset || place.dataset != places.front().dataset;
      backbone = backbone || place.backbone != places.front().backbone || place.width != places.front().width;
      cut = cut || place.cut != places.front().cut;
    }
  }
  void add_titles(std::vector<Table::Column>& columns) const {
    if (dataset) columns.push_back({"Data set"});
    if (backbone) columns.push_back({"Network"});
    if (cut) columns.push_back({"Cut"});
  }
  void add_cells(std::vector<std::string>& cells, const Place& place) const {
    if (dataset) cells.push_back(place.dataset);
    if (backbone)
      cells.push_back(place.width == 1 ? place.backbone : fmt::format("{} x {:g}", place.backbone, place.width));
    if (cut) cells.push_back(place.cut);
  }
};

bool has_goal(const Summary& summary, const std::string& goal) {
  return std::any_of(summary.attacks.begin(), summary.attacks.end(), [&](const auto& one) { return one.goal == goal; });
}

std::string title_of(const Attack& attack) {
  return fmt::format("{} {}", attack.spec, attack.goal == "input" ? "SSIM" : "labels");
}

using Front = std::set<const Group*>;

// In each place, over all defences: no other setting is at least as accurate, leaks no more to its strongest attack and
// is better in one of the two.
Front front_of(const Summary& summary, const std::string& goal) {
  Front front;
  for (const auto& place : summary.places()) {
    std::vector<const Group*> groups;
    std::vector<stats::Tradeoff> points;
    for (const auto& group : summary.groups) {
      const auto* attack = strongest(summary, group, goal);
      if (group.place != place || attack == nullptr) continue;
      groups.push_back(&group);
      points.push_back({mean_of(group.values("", "accuracy")).mean, leakage(group, *attack).mean});
    }
    for (const auto index : stats::pareto_front(points)) front.insert(groups[index]);
  }
  return front;
}

std::string strongest_text(const Summary& summary, const Group& group, const std::string& goal, const Front& front,
                           const std::string& sign) {
  const auto* attack = strongest(summary, group, goal);
  if (attack == nullptr) return "-";
  return fmt::format("{} {}{}", shown(leakage(group, *attack), main_measure(goal), sign), attack->spec,
                     front.contains(&group) ? " *" : "");
}

// Fewer seeds than the accuracy has are said in the cell, for the mean is then over other networks.
std::string attack_text(const Group& group, const Attack& attack, std::int64_t seeds, const std::string& sign) {
  const auto mean = leakage(group, attack);
  if (mean.seeds == 0) return "-";
  const std::string text = shown(mean, main_measure(attack.goal), sign);
  return mean.seeds == seeds ? text : fmt::format("{} (n={})", text, mean.seeds);
}

std::string strength_text(const Group& group) {
  return std::isnan(group.strength) ? "" : fmt::format("{:g}", group.strength);
}

// Families whose strengths do not tell their settings apart are shown by their whole spec.
bool needs_spec(const Summary& summary, const Group& group) {
  return std::any_of(summary.groups.begin(), summary.groups.end(), [&](const Group& other) {
    const bool same_strength =
        other.strength == group.strength || (std::isnan(other.strength) && std::isnan(group.strength));
    return other.place == group.place && other.defense == group.defense && other.spec != group.spec && same_strength;
  });
}

}  // namespace

Table leakage_table(const Summary& summary, const std::string& sign) {
  const PlaceColumns places(summary.places());
  Table table;
  places.add_titles(table.columns);
  table.columns.insert(table.columns.end(), {{"Defence"}, {"Strength", true}, {"Seeds", true}, {"Accuracy", true}});
  std::map<std::string, Front> fronts;  // by goal, input before prediction
  for (const char* goal : {"input", "prediction"}) {
    if (!has_goal(summary, goal)) continue;
    fronts[goal] = front_of(summary, goal);
    table.columns.push_back({std::string(goal) == "input" ? "Strongest SSIM" : "Strongest labels", true});
  }
  for (const auto& attack : summary.attacks) table.columns.push_back({title_of(attack), true});
  for (const auto& group : summary.groups) {
    const auto accuracy = mean_of(group.values("", "accuracy"));
    auto& line = table.lines.emplace_back();
    places.add_cells(line, group.place);
    line.push_back(needs_spec(summary, group) ? group.spec : group.defense);
    line.push_back(strength_text(group));
    line.push_back(fmt::format("{}", accuracy.seeds));
    line.push_back(shown(accuracy, "accuracy", sign));
    for (const auto& [goal, front] : fronts) line.push_back(strongest_text(summary, group, goal, front, sign));
    for (const auto& attack : summary.attacks) line.push_back(attack_text(group, attack, accuracy.seeds, sign));
  }
  if (const auto all = summary.places(); all.size() == 1) table.notes.push_back(all.front().text());
  table.notes.emplace_back(
      "Mean over the seeds with the half width of its 95 % Student interval; of one seed the value alone. SSIM of "
      "reconstructed inputs (1: identical), share of labels inferred: more is more leakage. Strongest: the attack "
      "whose "
      "mean is largest; * on the Pareto front: no other setting is at least as accurate and leaks as little.");
  return table;
}

Table hypervolume_table(const std::vector<CurveValue>& values, const HypervolumeOptions& options) {
  std::vector<Place> all;
  for (const auto& value : values) all.push_back(value.place);
  const PlaceColumns places(all);
  Table table;
  places.add_titles(table.columns);
  table.columns.insert(
      table.columns.end(),
      {{"Defence"}, {"Strengths", true}, {"Attack"}, {"Seeds", true}, {"Hypervolume", true}, {"95 % interval", true}});
  for (const auto& value : values) {
    auto& line = table.lines.emplace_back();
    places.add_cells(line, value.place);
    const bool interval = value.by_seed.size() > 1;
    line.insert(line.end(),
                {value.defense, fmt::format("{}", value.strengths), value.attack,
                 fmt::format("{}", value.by_seed.size()), fmt::format("{:.3f}", value.volume.value),
                 interval ? fmt::format("{:.3f} to {:.3f}", value.volume.range.low, value.volume.range.high) : "-"});
  }
  table.notes.push_back(fmt::format(
      "Share of the rectangle between the reference (accuracy {:g}, leakage {:g}) and the ideal (1, 0) that the "
      "defence's mean points dominate; more is better. Interval: bootstrap over seeds, {} resamples, seed {}.",
      options.reference.utility, options.reference.leakage, options.bootstrap.resamples, options.bootstrap.seed));
  return table;
}

Table comparison_table(const std::vector<Comparison>& list, const std::string& a, const std::string& b) {
  std::vector<Place> all;
  for (const auto& one : list) all.push_back(one.place);
  const PlaceColumns places(all);
  Table table;
  places.add_titles(table.columns);
  table.columns.insert(
      table.columns.end(),
      {{"Measure"}, {a, true}, {b, true}, {"Difference", true}, {"Pairs", true}, {"p", true}, {"Smallest p", true}});
  for (const auto& one : list) {
    auto& line = table.lines.emplace_back();
    places.add_cells(line, one.place);
    const auto text = [&](double value) { return measure_text(one.measure, value); };
    line.insert(line.end(), {one.attack.empty() ? one.measure : fmt::format("{} of {}", one.measure, one.attack),
                             text(one.a), text(one.b), text(one.difference), fmt::format("{}", one.pairs),
                             fmt::format("{:.3g}", one.p), fmt::format("{:.3g}", one.smallest_p)});
  }
  table.notes.emplace_back(
      "Means over the seeds both have, paired by seed; p of the two-sided permutation test that exchanges the two "
      "within "
      "pairs. Smallest p: the best that so many pairs can show: 0.25 for three seeds.");
  return table;
}

}  // namespace infoscissors::study
