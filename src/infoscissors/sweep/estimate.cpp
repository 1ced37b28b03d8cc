#include "infoscissors/sweep/estimate.h"

#include "infoscissors/results/record.h"
#include "infoscissors/sweep/resources.h"
#include "infoscissors/sweep/state.h"

#include <map>
#include <vector>

namespace infoscissors::sweep {
namespace {

namespace fs = std::filesystem;

/// Means by key; the first key that something was measured under answers.
class Ledger {
 public:
  void add(const std::vector<std::string>& keys, double value) {
    for (const auto& key : keys) {
      sums_[key].first += value;
      sums_[key].second += 1;
    }
  }
  double mean(const std::vector<std::string>& keys, double otherwise) const {
    for (const auto& key : keys) {
      if (const auto found = sums_.find(key); found != sums_.end()) return found->second.first / found->second.second;
    }
    return otherwise;
  }

 private:
  std::map<std::string, std::pair<double, double>> sums_;
};

std::string group_of(const PlannedRun& run) {
  return fmt::format("{}|{}|{}|{}", run.labels.dataset, run.labels.backbone, run.labels.width, run.labels.cut);
}

/// From the most alike to anything. What is added to a trained network trains for a moment or not at all.
std::vector<std::string> training_keys(const PlannedRun& run) {
  const std::string added = run.source.empty() ? "trained" : "added";
  return {group_of(run) + "|" + run.labels.defense, group_of(run) + "|" + added, added};
}

std::vector<std::string> attack_keys(const PlannedRun& run, const std::string& attack) {
  return {group_of(run) + "|" + attack, attack, ""};
}

double assumed_training(const PlannedRun& run) {
  if (!run.source.empty()) return 0;
  const auto images = run.config.at("data").value("train", 0.0);
  constexpr double kWholeDataSet = 50000;
  return kAssumedImagePass * run.config.at("train").value("epochs", 1.0) * (images > 0 ? images : kWholeDataSet);
}

}  // namespace

Estimate estimate(const fs::path& directory, const Plan& plan, const Finished& finished) {
  Estimate result;
  Ledger training, attacks, disk;
  std::vector<RunState> states;
  for (const auto& run : plan.runs) {
    states.push_back(read_state(directory, run, finished));
    if (!states.back().trained) continue;
    const auto path = run_directory(directory, run.hash);
    const auto record = results::load_run(path);
    training.add(training_keys(run), record.train_seconds);
    for (const auto& attack : record.attacks) attacks.add(attack_keys(run, attack.spec), attack.seconds);
    if (const auto usage = load_usage(path)) disk.add({group_of(run), ""}, usage->disk);
    ++result.measured;
  }
  for (std::size_t i = 0; i < plan.runs.size(); ++i) {
    const auto& run = plan.runs[i];
    result.runs += 1;
    if (states[i].done()) {
      result.done += 1;
      continue;
    }
    if (!states[i].trained) {
      result.seconds += training.mean(training_keys(run), assumed_training(run));
      result.disk += disk.mean({group_of(run), ""}, kAssumedDisk);
    }
    for (const auto& attack : states[i].missing) {
      result.attacks += 1;
      result.seconds += attacks.mean(attack_keys(run, attack), kAssumedAttack);
    }
  }
  return result;
}

}  // namespace infoscissors::sweep
