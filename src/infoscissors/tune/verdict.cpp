#include "infoscissors/tune/verdict.h"

#include "infoscissors/base/error.h"

#include <algorithm>
#include <cmath>

namespace infoscissors::tune {
namespace {

using base::Json;

Leak strongest_leak(const study::Summary& summary, const study::Group& group, const std::string& goal) {
  const auto* attack = study::strongest(summary, group, goal);
  if (attack == nullptr) return {};
  return {attack->spec, study::leakage(group, *attack)};
}

bool complete(const Measured& measured) {
  return std::isfinite(measured.accuracy.mean) &&
         std::all_of(measured.leaks.begin(), measured.leaks.end(), [](const auto& leak) {
           return !leak.second.attack.empty() && std::isfinite(leak.second.value.mean);
         });
}

/// Share of the reference's leakage above `floor` that is left; never less than none.
double relative(double value, double reference, double floor, const std::string& goal) {
  if (reference <= floor) {
    throw base::Error("the undefended network leaks nothing of its {} to these attackers: there is nothing to protect",
                      goal);
  }
  return std::max(0.0, value - floor) / (reference - floor);
}

Json to_json(const study::Mean& mean) {
  return {{"mean", base::real(mean.mean)}, {"half_width", base::real(mean.half_width)}, {"seeds", mean.seeds}};
}

}  // namespace

std::vector<Measured> measure(const study::Summary& summary, const std::vector<std::string>& goals) {
  std::vector<Measured> list;
  for (const auto& group : summary.groups) {
    Measured measured;
    measured.defense = group.spec;
    measured.accuracy = study::mean_of(group.values("", "accuracy"));
    for (const auto& goal : goals) measured.leaks[goal] = strongest_leak(summary, group, goal);
    if (complete(measured)) list.push_back(std::move(measured));
  }
  return list;
}

Verdict judge(const Measured& measured, const Measured& reference, std::int64_t classes, double allowed) {
  Verdict verdict;
  verdict.measured = measured;
  verdict.loss = reference.accuracy.mean - measured.accuracy.mean;
  verdict.within = verdict.loss <= allowed;
  for (const auto& [goal, leak] : measured.leaks) {
    const double floor = goal == "input" ? 0 : 1 / static_cast<double>(classes);
    const double base = reference.leaks.at(goal).value.mean;
    verdict.leakage = std::max(verdict.leakage, relative(leak.value.mean, base, floor, goal));
  }
  verdict.score = verdict.leakage + std::max(0.0, verdict.loss - allowed) / allowed;
  return verdict;
}

void rank(std::vector<Verdict>& verdicts, bool strict) {
  std::stable_sort(verdicts.begin(), verdicts.end(), [strict](const Verdict& a, const Verdict& b) {
    if (strict && a.within != b.within) return a.within;
    return a.score < b.score;
  });
}

Json to_json(const Measured& measured) {
  Json leaks = Json::object();
  for (const auto& [goal, leak] : measured.leaks) {
    leaks[goal] = to_json(leak.value);
    leaks[goal]["attack"] = leak.attack;
  }
  return {{"defense", measured.defense}, {"accuracy", to_json(measured.accuracy)}, {"leakage", leaks}};
}

Json to_json(const Verdict& verdict) {
  auto document = to_json(verdict.measured);
  document["accuracy_loss"] = verdict.loss;
  document["relative_leakage"] = verdict.leakage;
  document["score"] = verdict.score;
  document["within"] = verdict.within;
  return document;
}

}  // namespace infoscissors::tune
