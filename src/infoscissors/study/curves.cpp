#include "infoscissors/base/error.h"
#include "infoscissors/base/options.h"
#include "infoscissors/results/measure.h"
#include "infoscissors/stats/permutation.h"
#include "infoscissors/study/table.h"

#include <algorithm>
#include <cmath>
#include <set>

namespace infoscissors::study {
namespace {

using base::Json;
using results::main_measure;

// The strengths of one family in one place.
std::vector<const Group*> curve_of(const Summary& summary, const Place& place, const std::string& family) {
  std::vector<const Group*> curve;
  for (const auto& group : summary.groups) {
    if (group.place == place && group.defense == family) curve.push_back(&group);
  }
  return curve;
}

// A seed's points on the curve; empty where it lacks one, for a curve with a hole would be compared with a whole one.
std::vector<stats::Tradeoff> points_of(const std::vector<const Group*>& curve, const Attack& attack,
                                       std::uint64_t seed) {
  std::vector<stats::Tradeoff> points;
  for (const auto* group : curve) {
    const auto accuracy = group->values("", "accuracy");
    const auto leaks = group->values(attack.spec, main_measure(attack.goal));
    const auto a = accuracy.find(seed), l = leaks.find(seed);
    if (a == accuracy.end() || l == leaks.end() || !std::isfinite(a->second) || !std::isfinite(l->second)) return {};
    points.push_back({a->second, l->second});
  }
  return points;
}

std::set<std::uint64_t> seeds_of(const std::vector<const Group*>& curve) {
  std::set<std::uint64_t> seeds;
  for (const auto* group : curve) {
    for (const auto& [seed, value] : group->values("", "accuracy")) seeds.insert(seed);
  }
  return seeds;
}

Json place_json(const Place& place) {
  return {{"dataset", place.dataset}, {"backbone", place.backbone}, {"width", place.width}, {"cut", place.cut}};
}

Comparison test(const Place& place, const std::string& attack, const std::string& measure, const BySeed& a,
                const BySeed& b) {
  std::vector<double> left, right;
  for (const auto& [seed, value] : a) {
    const auto other = b.find(seed);
    if (other == b.end() || !std::isfinite(value) || !std::isfinite(other->second)) continue;
    left.push_back(value);
    right.push_back(other->second);
  }
  Comparison result;
  result.place = place;
  result.attack = attack;
  result.measure = measure;
  result.pairs = static_cast<std::int64_t>(left.size());
  if (left.empty()) return result;
  const auto mean = [](const std::vector<double>& values) {
    double sum = 0;
    for (const double value : values) sum += value;
    return sum / static_cast<double>(values.size());
  };
  const auto outcome = stats::paired_test(left, right);
  result.a = mean(left);
  result.b = mean(right);
  result.difference = outcome.difference;
  result.p = outcome.p;
  result.smallest_p = outcome.smallest_p;
  return result;
}

std::vector<Comparison> compare_families(const Summary& summary, const std::string& a, const std::string& b,
                                         const HypervolumeOptions& options) {
  const auto all = hypervolumes(summary, options);
  std::vector<Comparison> list;
  for (const auto& left : all) {
    if (left.defense != a) continue;
    for (const auto& right : all) {
      if (right.defense == b && right.place == left.place && right.attack == left.attack)
        list.push_back(test(left.place, left.attack, "hypervolume", left.by_seed, right.by_seed));
    }
  }
  return list;
}

std::vector<Comparison> compare_specs(const Summary& summary, const std::string& a, const std::string& b) {
  std::vector<Comparison> list;
  for (const auto& left : summary.groups) {
    if (left.spec != a) continue;
    for (const auto& right : summary.groups) {
      if (right.spec != b || right.place != left.place) continue;
      list.push_back(test(left.place, {}, "accuracy", left.values("", "accuracy"), right.values("", "accuracy")));
      for (const auto& attack : summary.attacks) {
        const auto measure = main_measure(attack.goal);
        list.push_back(test(left.place, attack.spec, measure, left.values(attack.spec, measure),
                            right.values(attack.spec, measure)));
      }
    }
  }
  return list;
}

}  // namespace

std::vector<CurveValue> hypervolumes(const Summary& summary, const HypervolumeOptions& options) {
  std::vector<CurveValue> values;
  for (const auto& place : summary.places()) {
    for (const auto& family : summary.families()) {
      const auto curve = curve_of(summary, place, family);
      for (const auto& attack : summary.attacks) {
        std::vector<std::vector<stats::Tradeoff>> repetitions;
        CurveValue value;
        value.place = place;
        value.defense = family;
        value.attack = attack.spec;
        value.goal = attack.goal;
        for (const auto seed : seeds_of(curve)) {
          auto points = points_of(curve, attack, seed);
          if (points.empty()) continue;
          value.by_seed[seed] = stats::hypervolume(points, options.reference);
          repetitions.push_back(std::move(points));
        }
        if (repetitions.empty()) continue;
        value.strengths = curve.size();
        value.volume = stats::mean_hypervolume(repetitions, options.reference, options.bootstrap);
        values.push_back(std::move(value));
      }
    }
  }
  return values;
}

std::vector<Comparison> compare(const Summary& summary, const std::string& a, const std::string& b,
                                const HypervolumeOptions& options) {
  std::set<std::string> specs, families;
  for (const auto& group : summary.groups) {
    specs.insert(group.spec);
    families.insert(group.defense);
  }
  std::vector<std::string> known(families.begin(), families.end());
  known.insert(known.end(), specs.begin(), specs.end());
  for (const auto& name : {a, b}) {
    if (!specs.contains(name) && !families.contains(name))
      throw base::UsageError("--compare: there are no results of the defence '{}': {}", name,
                             base::suggestion(name, known));
  }
  // Two specs by name alone ("none" is both) are compared as specs.
  const bool as_specs = specs.contains(a) && specs.contains(b);
  if (!as_specs && !(families.contains(a) && families.contains(b)))
    throw base::UsageError("--compare: '{}' and '{}' are a family and a single strength; give two of the same kind", a,
                           b);
  const auto list = as_specs ? compare_specs(summary, a, b) : compare_families(summary, a, b, options);
  if (std::none_of(list.begin(), list.end(), [](const auto& one) { return one.pairs > 0; }))
    throw base::UsageError("--compare: '{}' and '{}' have no seed and attack in common", a, b);
  return list;
}

Json to_json(const std::vector<CurveValue>& values, const HypervolumeOptions& options) {
  Json list = Json::array();
  for (const auto& value : values) {
    Json one = place_json(value.place);
    const bool interval = value.by_seed.size() > 1;
    one.update({{"defense", value.defense},
                {"strengths", value.strengths},
                {"attack", value.attack},
                {"goal", value.goal},
                {"seeds", value.by_seed.size()},
                {"hypervolume", base::real(value.volume.value)},
                {"low", interval ? base::real(value.volume.range.low) : Json(nullptr)},
                {"high", interval ? base::real(value.volume.range.high) : Json(nullptr)}});
    list.push_back(std::move(one));
  }
  return {{"reference", {{"accuracy", options.reference.utility}, {"leakage", options.reference.leakage}}},
          {"resamples", options.bootstrap.resamples},
          {"bootstrap_seed", options.bootstrap.seed},
          {"confidence", options.bootstrap.confidence},
          {"hypervolumes", std::move(list)}};
}

Json to_json(const std::vector<Comparison>& list) {
  Json out = Json::array();
  for (const auto& one : list) {
    Json object = place_json(one.place);
    object.update({{"attack", one.attack.empty() ? Json(nullptr) : Json(one.attack)},
                   {"measure", one.measure},
                   {"a", base::real(one.a)},
                   {"b", base::real(one.b)},
                   {"difference", base::real(one.difference)},
                   {"p", base::real(one.p)},
                   {"smallest_p", base::real(one.smallest_p)},
                   {"pairs", one.pairs}});
    out.push_back(std::move(object));
  }
  return out;
}

}  // namespace infoscissors::study
