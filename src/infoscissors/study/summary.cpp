#include "infoscissors/study/summary.h"

#include "infoscissors/base/error.h"
#include "infoscissors/base/options.h"
#include "infoscissors/results/measure.h"
#include "infoscissors/stats/interval.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <tuple>

namespace infoscissors::study {
namespace {

using base::Json;

bool contains(const std::vector<std::string>& list, const std::string& item) {
  return list.empty() || std::find(list.begin(), list.end(), item) != list.end();
}

std::string name_of(const std::string& spec) {
  return spec.substr(0, spec.find('('));
}

// What is asked for must be there: a misspelt name would silently give an empty table.
void check_known(const std::vector<std::string>& asked, const std::set<std::string>& known, const char* kind) {
  const std::vector<std::string> list(known.begin(), known.end());
  for (const auto& name : asked) {
    if (!known.contains(name))
      throw base::UsageError("there are no results of the {} '{}': {}", kind, name, base::suggestion(name, list));
  }
}

void check_choice(const std::vector<Row>& rows, const Choice& choice) {
  std::set<std::string> datasets, defenses, attacks, backbones, cuts;
  for (const auto& row : rows) {
    datasets.insert(row.labels.dataset);
    defenses.insert(row.labels.defense);
    backbones.insert(row.labels.backbone);
    cuts.insert(row.labels.cut);
    if (row.attack.empty()) continue;
    attacks.insert(row.attack);
    attacks.insert(name_of(row.attack));
  }
  check_known(choice.datasets, datasets, "data set");
  check_known(choice.defenses, defenses, "defence");
  check_known(choice.attacks, attacks, "attack");
  check_known(choice.backbones, backbones, "network");
  check_known(choice.cuts, cuts, "cut");
}

bool chosen(const Row& row, const Choice& choice) {
  const auto& labels = row.labels;
  if (!contains(choice.datasets, labels.dataset) || !contains(choice.defenses, labels.defense)) return false;
  if (!contains(choice.backbones, labels.backbone) || !contains(choice.cuts, labels.cut)) return false;
  return row.attack.empty() || contains(choice.attacks, row.attack) || contains(choice.attacks, name_of(row.attack));
}

int rank_of(const std::string& family) {
  if (family == "none") return 0;
  return family.starts_with("infoscissors") ? 1 : 2;
}

auto order_of(const Group& group) {
  const double strength = std::isnan(group.strength) ? -INFINITY : group.strength;
  return std::make_tuple(group.place, rank_of(group.defense), group.defense, strength, group.spec);
}

// Sums of the values of one run, for an attack that ran with several seeds.
struct Sum {
  double sum = 0;
  int count = 0;
};

using Key = std::tuple<std::size_t, std::string, std::string, std::uint64_t>;  // group, attack, metric, seed

class Grouper {
 public:
  void add(const Row& row) {
    const auto index = group_of(row);
    check_single(row, index);
    auto& sum = sums_[{index, row.attack, row.metric, row.labels.seed}];
    sum.sum += row.value;
    ++sum.count;
    if (!row.attack.empty())
      attacks_.try_emplace(row.attack, Attack{row.attack, row.goal, row.view, row.decoder, row.budget});
  }

  Summary take() && {
    for (const auto& [key, sum] : sums_) {
      const auto& [index, attack, metric, seed] = key;
      auto& group = summary_.groups[index];
      (attack.empty() ? group.own[metric] : group.attacks[attack][metric])[seed] = sum.sum / sum.count;
    }
    std::stable_sort(summary_.groups.begin(), summary_.groups.end(),
                     [](const Group& a, const Group& b) { return order_of(a) < order_of(b); });
    for (auto& [spec, attack] : attacks_) summary_.attacks.push_back(std::move(attack));
    std::stable_partition(summary_.attacks.begin(), summary_.attacks.end(),
                          [](const Attack& attack) { return attack.goal == "input"; });
    return std::move(summary_);
  }

 private:
  std::size_t group_of(const Row& row) {
    const auto& l = row.labels;
    const Place place{l.dataset, l.backbone, l.cut, l.width};
    const auto [found, fresh] = index_.try_emplace({place, l.defense, row.spec}, summary_.groups.size());
    if (fresh) summary_.groups.push_back({place, l.defense, row.spec, l.strength, {}, {}});
    return found->second;
  }

  void check_single(const Row& row, std::size_t index) {
    const auto [found, fresh] = runs_.try_emplace({index, row.labels.seed}, row.run);
    if (fresh || found->second == row.run) return;
    throw base::UsageError(
        "two runs of {} with seed {} differ in something that is not shown ({} and {}): give one of the defences a "
        "label of its own, or leave one of the directories out",
        row.spec, row.labels.seed, found->second, row.run);
  }

  Summary summary_;
  std::map<std::tuple<Place, std::string, std::string>, std::size_t> index_;
  std::map<std::pair<std::size_t, std::uint64_t>, std::string> runs_;
  std::map<std::string, Attack> attacks_;
  std::map<Key, Sum> sums_;
};

Json mean_json(const Group& group, const Attack* attack, const std::string& metric, const BySeed& values) {
  const auto mean = mean_of(values);
  const auto text = [&](const std::string& value) { return attack == nullptr ? Json(nullptr) : Json(value); };
  return {{"dataset", group.place.dataset},
          {"backbone", group.place.backbone},
          {"width", group.place.width},
          {"cut", group.place.cut},
          {"defense", group.defense},
          {"spec", group.spec},
          {"strength", base::real(group.strength)},
          {"attack", attack == nullptr ? Json(nullptr) : Json(attack->spec)},
          {"goal", text(attack == nullptr ? "" : attack->goal)},
          {"view", text(attack == nullptr ? "" : attack->view)},
          {"metric", metric},
          {"seeds", mean.seeds},
          {"mean", base::real(mean.mean)},
          {"half_width", base::real(mean.half_width)}};
}

}  // namespace

std::string Place::text() const {
  const std::string wide = width == 1 ? "" : fmt::format(" x {:g}", width);
  return fmt::format("{}, {}{}, {}", dataset, backbone, wide, cut);
}

BySeed Group::values(const std::string& attack, const std::string& metric) const {
  const auto pick = [&](const std::map<std::string, BySeed>& measures) {
    const auto found = measures.find(metric);
    return found == measures.end() ? BySeed{} : found->second;
  };
  if (attack.empty()) return pick(own);
  const auto found = attacks.find(attack);
  return found == attacks.end() ? BySeed{} : pick(found->second);
}

const Attack& Summary::attack(const std::string& spec) const {
  const auto found = std::find_if(attacks.begin(), attacks.end(), [&](const Attack& one) { return one.spec == spec; });
  if (found == attacks.end()) throw base::Error("there are no results of the attack '{}'", spec);
  return *found;
}

std::vector<Place> Summary::places() const {
  std::set<Place> places;
  for (const auto& group : groups) places.insert(group.place);
  return {places.begin(), places.end()};
}

std::vector<std::string> Summary::families() const {
  std::vector<std::string> families;
  for (const auto& group : groups) {
    if (std::find(families.begin(), families.end(), group.defense) == families.end()) families.push_back(group.defense);
  }
  std::stable_sort(families.begin(), families.end(), [](const auto& a, const auto& b) {
    return std::make_pair(rank_of(a), a) < std::make_pair(rank_of(b), b);
  });
  return families;
}

Summary summarise(const std::vector<Row>& rows, const Choice& choice) {
  check_choice(rows, choice);
  Grouper grouper;
  for (const auto& row : rows) {
    if (chosen(row, choice)) grouper.add(row);
  }
  return std::move(grouper).take();
}

Mean mean_of(const BySeed& values) {
  std::vector<double> list;
  for (const auto& [seed, value] : values) list.push_back(value);
  Mean mean;
  mean.seeds = static_cast<std::int64_t>(list.size());
  const bool known = !list.empty() && std::all_of(list.begin(), list.end(), [](double v) { return std::isfinite(v); });
  if (!known) return mean;
  const auto interval = stats::mean_interval(list);
  mean.mean = interval.mean;
  if (list.size() > 1) mean.half_width = interval.half_width();
  return mean;
}

Mean leakage(const Group& group, const Attack& attack) {
  return mean_of(group.values(attack.spec, results::main_measure(attack.goal)));
}

const Attack* strongest(const Summary& summary, const Group& group, const std::string& goal) {
  const Attack* best = nullptr;
  double most = -INFINITY;
  for (const auto& attack : summary.attacks) {
    if (attack.goal != goal) continue;
    const double mean = leakage(group, attack).mean;
    if (!(mean > most)) continue;
    most = mean;
    best = &attack;
  }
  return best;
}

Json to_json(const Summary& summary) {
  Json list = Json::array();
  for (const auto& group : summary.groups) {
    for (const auto& [metric, values] : group.own) list.push_back(mean_json(group, nullptr, metric, values));
    for (const auto& attack : summary.attacks) {
      const auto found = group.attacks.find(attack.spec);
      if (found == group.attacks.end()) continue;
      for (const auto& [metric, values] : found->second) list.push_back(mean_json(group, &attack, metric, values));
    }
  }
  return list;
}

std::string to_csv(const Summary& summary) {
  static const std::vector<std::string> kColumns = {"dataset", "backbone", "width",  "cut",       "defense",
                                                    "spec",    "strength", "attack", "goal",      "view",
                                                    "metric",  "seeds",    "mean",   "half_width"};
  std::string text = fmt::format("{}\n", fmt::join(kColumns, ","));
  for (const auto& row : to_json(summary)) {
    std::vector<std::string> cells;
    for (const auto& column : kColumns) cells.push_back(csv_cell(row.at(column)));
    text += fmt::format("{}\n", fmt::join(cells, ","));
  }
  return text;
}

std::string short_name(const Group& group) {
  return std::isnan(group.strength) ? group.defense : fmt::format("{} {:g}", group.defense, group.strength);
}

}  // namespace infoscissors::study
