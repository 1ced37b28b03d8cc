#include "infoscissors/sweep/expand.h"

#include "infoscissors/attack/attack.h"
#include "infoscissors/base/error.h"
#include "infoscissors/base/hash.h"
#include "infoscissors/base/spec.h"
#include "infoscissors/defense/defense.h"
#include "infoscissors/experiment/config.h"
#include "infoscissors/study/labels.h"
#include "infoscissors/sweep/strength.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace infoscissors::sweep {
namespace {

using base::Json;
using base::UsageError;
using experiment::RunConfig;

/// The axes' values at one point, defences aside.
struct Cell {
  Json config;
  std::string dataset, backbone, cut;  // labels; empty: derived
  std::vector<std::string> attacks;
  std::int64_t seed = 0;
};

std::string canonical_attack(const std::string& text, const std::string& where) {
  try {
    const auto spec = base::parse_spec(text);
    attack::registry().make(spec);
    return attack::registry().find(spec.name).canonical(spec);
  } catch (const UsageError& error) {
    throw UsageError("{}: attacks: {}", where, error.what());
  }
}

RunConfig resolve(const Json& config, const std::string& where) {
  auto resolved = experiment::config_from_json(config, where);
  try {
    experiment::validate(resolved);
  } catch (const UsageError& error) {
    throw UsageError("{}: {}", where, error.what());
  }
  return resolved;
}

void apply(Cell& cell, const AxisValue& axis, std::string Cell::*label) {
  cell.config.merge_patch(axis.patch);
  if (label != nullptr && !axis.label.empty()) cell.*label = axis.label;
  if (axis.attacks) cell.attacks = *axis.attacks;
}

std::vector<Cell> cells_of(const SweepFile& sweep) {
  std::vector<Cell> cells;
  for (const auto seed : sweep.seeds) {
    for (const auto& dataset : sweep.datasets) {
      for (const auto& backbone : sweep.backbones) {
        for (const auto& cut : sweep.cuts) {
          Cell cell{
              .config = sweep.base, .dataset = {}, .backbone = {}, .cut = {}, .attacks = sweep.attacks, .seed = seed};
          cell.config["seed"] = seed;
          apply(cell, dataset, &Cell::dataset);
          apply(cell, backbone, &Cell::backbone);
          apply(cell, cut, &Cell::cut);
          cells.push_back(std::move(cell));
        }
      }
    }
  }
  return cells;
}

std::string or_default(const std::string& label, std::string derived) {
  return label.empty() ? std::move(derived) : label;
}

Labels labels_of(const Cell& cell, const RunConfig& config) {
  Labels labels;
  labels.dataset = or_default(cell.dataset, config.data.name);
  labels.backbone = or_default(cell.backbone, config.model.backbone);
  labels.cut = or_default(cell.cut, fmt::format("h{}c{}", config.model.head_stages, config.model.classifier_layers));
  labels.width = config.model.width;
  labels.seed = config.seed;
  return labels;
}

/// Whether two runs would be called the same in every table.
bool same_labels(const Labels& a, const Labels& b) {
  return a.dataset == b.dataset && a.backbone == b.backbone && a.cut == b.cut && a.width == b.width &&
         a.defense == b.defense && a.strength == b.strength && a.seed == b.seed;
}

/// What a spec without strengths of its own says or implies.
std::optional<double> own_strength(const std::string& spec) {
  const double strength = study::strength_of(spec);
  return std::isnan(strength) ? std::nullopt : std::optional(strength);
}

class Expansion {
 public:
  void add(const Cell& cell, const DefenseAxis& defense, const std::string& spec, std::optional<double> strength) {
    Json document = cell.config;
    document.merge_patch(defense.patch);
    document["defense"] = spec;
    const auto config = resolve(document, defense.where);
    PlannedRun run;
    run.labels = labels_of(cell, config);
    run.labels.defense = or_default(defense.label, study::family_of(spec));
    run.labels.strength = strength ? strength : own_strength(spec);
    if (run.labels.strength) run.labels.strength_option = varied_option(defense.spec);
    run.defense = defense::canonical_defense(spec);
    if (!defense.retrain && can_be_added(spec)) run.source = add_source(cell, defense);
    for (const auto& text : defense.attacks.value_or(cell.attacks))
      add_attack(run, canonical_attack(text, defense.where));
    finish(std::move(run), config, defense.where);
  }

  std::vector<PlannedRun> take() {
    for (auto& run : runs_) run.judge = judge_of(run);
    return std::move(runs_);
  }

 private:
  static bool can_be_added(const std::string& spec) {
    return defense::canonical_defense(spec) != "none" &&
           defense::make_defense(spec)->learns() != defense::Learns::network;
  }

  static void add_attack(PlannedRun& run, const std::string& attack) {
    if (std::find(run.attacks.begin(), run.attacks.end(), attack) == run.attacks.end()) run.attacks.push_back(attack);
  }

  /// The undefended network of the same data, architecture and seed. How the defence is trained does not concern it.
  std::string add_source(const Cell& cell, const DefenseAxis& defense) {
    Json document = cell.config;
    for (const char* section : {"data", "model"}) {
      if (defense.patch.contains(section)) document.merge_patch({{section, defense.patch.at(section)}});
    }
    const auto config = resolve(document, defense.where);
    PlannedRun run;
    run.labels = labels_of(cell, config);
    run.labels.defense = run.defense = "none";
    run.wanted = false;
    return finish(std::move(run), config, defense.where);
  }

  std::string finish(PlannedRun run, const RunConfig& config, const std::string& where) {
    run.hash = experiment::config_hash(config, run.source);
    run.config = experiment::to_json(config);
    if (const auto found = index_.find(run.hash); found != index_.end()) {
      merge(runs_[found->second], run, where);
      return run.hash;
    }
    check_labels(run, where);
    index_[run.hash] = runs_.size();
    runs_.push_back(run);
    return run.hash;
  }

  static void merge(PlannedRun& known, const PlannedRun& run, const std::string& where) {
    if (known.wanted && run.wanted && !same_labels(known.labels, run.labels)) {
      throw UsageError("{}: is the same run as '{}' under another label", where, title(known));
    }
    if (run.wanted) known.labels = run.labels;
    known.wanted = known.wanted || run.wanted;
    for (const auto& attack : run.attacks) add_attack(known, attack);
  }

  void check_labels(const PlannedRun& run, const std::string& where) const {
    for (const auto& other : runs_) {
      if (!run.wanted || !other.wanted || !same_labels(run.labels, other.labels)) continue;
      throw UsageError("{}: two different runs are called '{}'; give one of their axes a label of its own", where,
                       title(run));
    }
  }

  /// Only networks that were trained with a defence need another one to judge them.
  std::string judge_of(const PlannedRun& run) const {
    if (!run.source.empty() || run.defense == "none" || run.attacks.empty()) return {};
    for (const auto& other : runs_) {
      const bool match = other.defense == "none" && other.labels.dataset == run.labels.dataset &&
                         other.labels.backbone == run.labels.backbone && other.labels.width == run.labels.width &&
                         other.labels.cut == run.labels.cut && other.labels.seed == run.labels.seed;
      if (match && other.config.at("data") == run.config.at("data")) return other.hash;
    }
    return {};
  }

  std::vector<PlannedRun> runs_;
  std::map<std::string, std::size_t> index_;
};

void add_defense(Expansion& expansion, const Cell& cell, const DefenseAxis& defense) {
  if (defense.strengths.empty()) {
    if (defense.spec.find("{}") != std::string::npos) {
      throw UsageError("{}: spec '{}' has a {{}}, but there are no strengths", defense.where, defense.spec);
    }
    expansion.add(cell, defense, defense.spec, {});
  }
  for (const double strength : defense.strengths) {
    expansion.add(cell, defense, with_strength(defense.spec, strength, defense.where), strength);
  }
}

}  // namespace

Plan make_plan(const SweepFile& sweep) {
  Plan plan;
  plan.name = sweep.name;
  plan.sweep_hash = sweep.hash;
  const auto base = resolve(sweep.base, sweep.path.string() + ": [base]");
  plan.base_hash = base::content_hash(Json{{"name", sweep.name}, {"base", experiment::to_json(base)}}.dump());
  Expansion expansion;
  for (const auto& cell : cells_of(sweep)) {
    for (const auto& defense : sweep.defenses) add_defense(expansion, cell, defense);
  }
  plan.runs = expansion.take();
  return plan;
}

}  // namespace infoscissors::sweep
