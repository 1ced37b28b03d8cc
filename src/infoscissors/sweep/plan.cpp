#include "infoscissors/sweep/plan.h"

#include "infoscissors/base/error.h"
#include "infoscissors/base/file.h"
#include "infoscissors/results/node.h"

#include <algorithm>

namespace infoscissors::sweep {
namespace {

using base::Error;
using base::Json;
using base::UsageError;
using results::Node;

Json to_json(const PlannedRun& run) {
  const auto& labels = run.labels;
  return {{"run", run.hash},
          {"dataset", labels.dataset},
          {"backbone", labels.backbone},
          {"width", labels.width},
          {"cut", labels.cut},
          {"defense", labels.defense},
          {"strength_option", labels.strength_option},
          {"strength", labels.strength ? Json(*labels.strength) : Json(nullptr)},
          {"seed", labels.seed},
          {"spec", run.defense},
          {"attacks", run.attacks},
          {"source", run.source},
          {"judge", run.judge},
          {"wanted", run.wanted},
          {"config", run.config}};
}

PlannedRun run_from(const Node& node) {
  PlannedRun run;
  run.hash = node.at("run").file_name();
  run.labels.dataset = node.at("dataset").text();
  run.labels.backbone = node.at("backbone").text();
  run.labels.width = node.at("width").real();
  run.labels.cut = node.at("cut").text();
  run.labels.defense = node.at("defense").text();
  run.labels.strength_option = node.at("strength_option").text();
  const auto strength = node.at("strength").real();
  if (strength == strength) run.labels.strength = strength;
  run.labels.seed = node.at("seed").integer(0);
  run.defense = node.at("spec").text();
  for (const auto& attack : node.at("attacks").items()) run.attacks.push_back(attack.text());
  run.source = node.at("source").text();
  run.judge = node.at("judge").text();
  run.wanted = node.at("wanted").boolean();
  run.config = node.at("config").object();
  return run;
}

}  // namespace

const PlannedRun& Plan::find(const std::string& hash) const {
  const auto found = std::find_if(runs.begin(), runs.end(), [&](const PlannedRun& run) { return run.hash == hash; });
  if (found == runs.end()) throw Error("the sweep '{}' plans no run {}", name, hash);
  return *found;
}

Json to_json(const Plan& plan) {
  Json runs = Json::array();
  for (const auto& run : plan.runs) runs.push_back(to_json(run));
  return {{"schema", kPlanSchema},
          {"name", plan.name},
          {"sweep_hash", plan.sweep_hash},
          {"base_hash", plan.base_hash},
          {"runs", std::move(runs)}};
}

Plan plan_from_json(const Json& document, const std::string& file) {
  const Node root(document, file, "");
  const auto schema = root.at("schema").integer(1);
  if (schema > kPlanSchema) {
    throw Error("{}: has schema {}, but this version reads up to {}: use a newer one", file, schema, kPlanSchema);
  }
  Plan plan;
  plan.name = root.at("name").text();
  plan.sweep_hash = root.at("sweep_hash").text();
  plan.base_hash = root.at("base_hash").text();
  for (const auto& run : root.at("runs").items()) plan.runs.push_back(run_from(run));
  return plan;
}

Plan load_plan(const std::filesystem::path& directory) {
  const auto file = directory / kPlanFile;
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) {
    throw UsageError("{}: holds no sweep: it has no {}", directory.string(), kPlanFile);
  }
  return plan_from_json(base::read_json(file), file.string());
}

void store_plan(const std::filesystem::path& directory, const Plan& plan) {
  base::ensure_directory(directory);
  const auto file = directory / kPlanFile;
  std::error_code ignored;
  if (std::filesystem::exists(file, ignored)) {
    const auto there = load_plan(directory);
    if (there.base_hash != plan.base_hash) {
      const auto difference = there.name == plan.name ? "with another [base]" : "'" + there.name + "'";
      throw UsageError("{}: holds the sweep {}, not '{}'; choose another --out", directory.string(), difference,
                       plan.name);
    }
    // Several hosts may start at once: whoever finds the plan there has no reason to write it.
    if (to_json(there) == to_json(plan)) return;
  }
  base::write_json(file, to_json(plan));
}

std::filesystem::path run_directory(const std::filesystem::path& directory, const std::string& hash) {
  return directory / "runs" / hash;
}

std::string title(const PlannedRun& run) {
  return fmt::format("{} {} {} {} seed {}{}", run.labels.dataset, run.labels.backbone, run.labels.cut, run.defense,
                     run.labels.seed, run.source.empty() ? "" : " (added)");
}

}  // namespace infoscissors::sweep
