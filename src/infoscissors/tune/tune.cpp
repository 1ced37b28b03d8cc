#include "infoscissors/tune/tune.h"

#include "infoscissors/attack/attack.h"
#include "infoscissors/base/error.h"
#include "infoscissors/base/file.h"
#include "infoscissors/base/log.h"
#include "infoscissors/base/machine.h"
#include "infoscissors/base/random.h"
#include "infoscissors/base/spec.h"
#include "infoscissors/study/study.h"
#include "infoscissors/sweep/expand.h"
#include "infoscissors/tune/attackers.h"
#include "infoscissors/tune/space.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace infoscissors::tune {
namespace {

namespace fs = std::filesystem;
using base::Json;
using base::UsageError;

constexpr int kSchema = 1;

std::vector<std::int64_t> consecutive(std::int64_t first, std::int64_t count) {
  std::vector<std::int64_t> numbers(static_cast<std::size_t>(count));
  std::iota(numbers.begin(), numbers.end(), first);
  return numbers;
}

std::vector<std::string> goals_of(const std::string& goal) {
  if (goal == "both") return {"input", "prediction"};
  return {goal};
}

/// Each goal needs an attacker, or nothing could be measured.
void require_attackers(const Schedule& schedule) {
  for (const auto& goal : schedule.goals) {
    const bool found = std::any_of(schedule.attacks.begin(), schedule.attacks.end(), [&](const std::string& text) {
      return attack::goal_of(base::parse_spec(text).name) ==
             (goal == "input" ? attack::Goal::input : attack::Goal::prediction);
    });
    if (!found) throw UsageError("--against config: the configuration's attacks hold none on the {}", goal);
  }
}

// One sweep
// ------------------------------------------------------------------------------------------------------------

sweep::SweepFile sweep_of(const Schedule& schedule, const std::string& name, std::int64_t epochs,
                          const std::vector<std::string>& defenses, const std::vector<std::int64_t>& seeds,
                          const std::string& split) {
  auto config = schedule.config;
  config.train.epochs = epochs;
  config.evaluate.split = split;
  sweep::SweepFile file;
  file.path = name;
  file.name = name;
  file.base = experiment::to_json(config);
  for (const char* key : {"seed", "defense", "attacks", "model_from"}) file.base.erase(key);
  file.seeds = seeds;
  file.attacks = schedule.attacks;
  sweep::AxisValue unchanged;
  unchanged.where = name;
  file.datasets = file.backbones = file.cuts = {unchanged};
  file.defenses.emplace_back().spec = "none";
  for (const auto& defense : defenses) file.defenses.emplace_back().spec = defense;
  for (auto& axis : file.defenses) {
    axis.where = name + ": " + axis.spec;
    axis.label = axis.spec;  // two settings may differ in any option
  }
  return file;
}

struct Swept {
  Measured reference;
  std::vector<Measured> settings;
  study::Study study;
  std::int64_t failed = 0;
};

Swept run_sweep(const sweep::SweepFile& file, const std::vector<std::string>& goals, const fs::path& directory,
                const sweep::ScheduleOptions& how) {
  const auto plan = sweep::make_plan(file);
  sweep::store_plan(directory, plan);
  const auto tally = sweep::run_plan(directory, plan, how);
  Swept swept;
  swept.failed = tally.failed + tally.blocked;
  swept.study = study::load({directory});
  for (auto& measured : measure(study::summarise(swept.study.rows), goals)) {
    if (measured.defense == "none") {
      swept.reference = measured;
    } else {
      swept.settings.push_back(std::move(measured));
    }
  }
  const auto first = tally.errors.empty() ? std::string("nothing finite was measured") : tally.errors.front();
  if (swept.reference.defense.empty()) throw base::Error("{}: the undefended network: {}", directory.string(), first);
  if (swept.settings.empty()) throw base::Error("{}: every setting failed; the first: {}", directory.string(), first);
  return swept;
}

std::int64_t classes_of(const study::Study& study) {
  return static_cast<std::int64_t>(study.entries.front().record.data.at("classes").size());
}

std::vector<Verdict> verdicts_of(const Swept& swept, double allowed, bool strict) {
  std::vector<Verdict> verdicts;
  for (const auto& measured : swept.settings) {
    verdicts.push_back(judge(measured, swept.reference, classes_of(swept.study), allowed));
  }
  rank(verdicts, strict);
  return verdicts;
}

// The record
// -----------------------------------------------------------------------------------------------------------

Json describe(const Schedule& schedule, const TuneOptions& options) {
  return {{"schema", kSchema},
          {"version", base::version()},
          {"commit", base::commit()},
          {"machine", base::describe_machine()},
          {"max_accuracy_loss", options.max_accuracy_loss},
          {"goal", options.goal},
          {"attacks", schedule.attacks},
          {"settings", schedule.settings},
          {"search_seeds", schedule.search_seeds},
          {"seeds", schedule.seeds},
          {"config", experiment::to_json(schedule.config)},
          {"rungs", Json::array()},
          {"final", nullptr}};
}

/// Two searches may share a directory where they would do the same.
void check_directory(const fs::path& out, const Json& fresh) {
  if (!fs::exists(out / kTuneFile)) return;
  const auto known = base::read_json(out / kTuneFile);
  for (const char* key : {"max_accuracy_loss", "goal", "attacks", "settings", "search_seeds", "seeds", "config"}) {
    if (known.contains(key) && known.at(key) == fresh.at(key)) continue;
    throw UsageError("{}: belongs to another search ({} differs); choose another --out", out.string(), key);
  }
}

void add_rung(Json& record, const Rung& rung, const Swept& swept, const std::vector<Verdict>& verdicts) {
  Json list = Json::array();
  for (const auto& verdict : verdicts) list.push_back(to_json(verdict));
  record["rungs"].push_back({{"epochs", rung.epochs},
                             {"keep", rung.keep},
                             {"failed", swept.failed},
                             {"undefended", to_json(swept.reference)},
                             {"verdicts", list}});
}

void save(const fs::path& out, const Json& record) {
  base::write_json(out / kTuneFile, record);
}

// The result
// -----------------------------------------------------------------------------------------------------------

fs::path run_of(const study::Study& study, const std::string& defense, std::int64_t seed) {
  for (const auto& entry : study.entries) {
    if (entry.record.defense == defense && entry.record.seed == static_cast<std::uint64_t>(seed)) return entry.path;
  }
  throw base::Error("the final network of {} with seed {} failed", defense, seed);
}

/// Student's half width of the accuracy lost, paired by seed: both networks of a seed see the same images.
double paired_half_width(const study::Study& study, const std::string& defense) {
  study::BySeed undefended, losses;
  for (const auto& entry : study.entries) {
    if (entry.record.defense == "none") undefended[entry.record.seed] = entry.record.measures.at("accuracy");
  }
  for (const auto& entry : study.entries) {
    const auto found = undefended.find(entry.record.seed);
    if (entry.record.defense != defense || found == undefended.end()) continue;
    losses[entry.record.seed] = found->second - entry.record.measures.at("accuracy");
  }
  return study::mean_of(losses).half_width;
}

Outcome finish(const Schedule& schedule, const Swept& swept, const Verdict& verdict) {
  Outcome outcome;
  outcome.verdict = verdict;
  outcome.reference = swept.reference;
  outcome.loss_half = paired_half_width(swept.study, verdict.measured.defense);
  outcome.undefended = run_of(swept.study, "none", schedule.seeds.front());
  outcome.network = run_of(swept.study, verdict.measured.defense, schedule.seeds.front());
  return outcome;
}

std::vector<std::string> best_of(const std::vector<Verdict>& verdicts, std::int64_t count) {
  std::vector<std::string> names;
  for (const auto& verdict : verdicts) {
    if (static_cast<std::int64_t>(names.size()) < count) names.push_back(verdict.measured.defense);
  }
  return names;
}

}  // namespace

std::int64_t Schedule::trainings() const {
  auto count = 2 * static_cast<std::int64_t>(seeds.size());
  for (const auto& rung : rungs) count += (rung.enter + 1) * static_cast<std::int64_t>(search_seeds.size());
  return count;
}

Schedule plan(const experiment::RunConfig& config, const TuneOptions& options) {
  Schedule schedule;
  schedule.config = config;
  schedule.goals = goals_of(options.goal);
  schedule.attacks = options.against == "config" ? config.attacks : attackers(options.against, options.goal);
  require_attackers(schedule);
  const auto all = options.space.empty() ? settings_around(config.defense) : expand_alternatives(options.space);
  const auto seed = static_cast<std::uint64_t>(config.seed);
  schedule.settings = draw(canonical_settings(all), options.trials, base::derive_seed(seed, "tune"));
  std::erase(schedule.settings, "none");
  if (schedule.settings.empty()) throw UsageError("there is no setting of a defence to try");
  const auto count = static_cast<std::int64_t>(schedule.settings.size());
  schedule.rungs = plan_rungs(count, config.train.epochs, options.rungs, options.eta);
  schedule.seeds = consecutive(config.seed, options.seeds);
  schedule.search_seeds = consecutive(config.seed + options.seeds, options.search_seeds);
  schedule.config.defense = "none";
  schedule.config.attacks.clear();
  // Where it is computed is no part of what is searched: the same search may go on elsewhere.
  schedule.config.runtime = {.precision = config.runtime.precision};
  // Settings that cannot be trained with this configuration are found now.
  sweep::make_plan(sweep_of(schedule, "tune", config.train.epochs, schedule.settings, schedule.seeds, "test"));
  return schedule;
}

Outcome search(const Schedule& schedule, const TuneOptions& options, const fs::path& out,
               const sweep::ScheduleOptions& how) {
  auto record = describe(schedule, options);
  check_directory(out, record);
  base::ensure_directory(out);
  save(out, record);
  auto settings = schedule.settings;
  for (std::size_t i = 0; i < schedule.rungs.size(); ++i) {
    const auto& rung = schedule.rungs[i];
    const auto name = fmt::format("rung-{}", i + 1);
    base::log::info("{}: {} settings, {} epochs", name, settings.size(), rung.epochs);
    const auto swept = run_sweep(sweep_of(schedule, name, rung.epochs, settings, schedule.search_seeds, "validation"),
                                 schedule.goals, out / name, how);
    const bool last = i + 1 == schedule.rungs.size();
    const auto verdicts = verdicts_of(swept, options.max_accuracy_loss, last);
    add_rung(record, rung, swept, verdicts);
    save(out, record);
    settings = best_of(verdicts, rung.keep);
  }
  base::log::info("final: {}", settings.front());
  const auto swept =
      run_sweep(sweep_of(schedule, "final", schedule.config.train.epochs, settings, schedule.seeds, "test"),
                schedule.goals, out / "final", how);
  if (swept.failed > 0) {
    throw base::Error("{} final runs failed; `infoscissors sweep status {}` says why", swept.failed,
                      (out / "final").string());
  }
  auto outcome = finish(schedule, swept, verdicts_of(swept, options.max_accuracy_loss, true).front());
  record["final"] = to_json(outcome.verdict);
  record["final"]["undefended"] = to_json(outcome.reference);
  record["final"]["accuracy_loss_half_width"] = base::real(outcome.loss_half);
  record["final"]["network"] = fs::relative(outcome.network, out).string();
  save(out, record);
  return outcome;
}

}  // namespace infoscissors::tune
