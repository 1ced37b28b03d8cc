#include "infoscissors/experiment/source.h"

#include "infoscissors/base/error.h"
#include "infoscissors/train/checkpoint.h"

namespace infoscissors::experiment {
namespace {

using base::Error;
using base::Json;
using base::UsageError;

/// The first key of a section (or the one value) in which two configurations differ; empty: none.
std::string difference(const Json& ours, const Json& theirs) {
  if (!ours.is_object()) return ours == theirs ? "" : "seed";
  for (const auto& [key, value] : ours.items()) {
    if (key != "path" && theirs.value(key, Json()) != value) return key;
  }
  return {};
}

}  // namespace

results::RunRecord find_source(const RunConfig& config) {
  try {
    return results::load_run(config.model_from);
  } catch (const Error& error) {
    throw UsageError("model_from: {}", error.what());
  }
}

void check_source(const RunConfig& config, const results::RunRecord& source) {
  const auto& where = config.model_from;
  const auto defense = defense::make_defense(config.defense);
  if (defense::canonical_defense(config.defense) == "none") {
    throw UsageError("model_from = {}: there is no defence to add; set defense, or leave model_from out", where);
  }
  if (defense->learns() == defense::Learns::network) {
    throw UsageError("model_from = {}: {} protects by training the network and cannot be added to a trained one", where,
                     defense::canonical_defense(config.defense));
  }
  if (!source.trained) throw UsageError("model_from = {}: is not trained to the end; finish that run first", where);
  if (source.defense != "none") {
    throw UsageError("model_from = {}: must be an undefended run, but its defence is {}", where, source.defense);
  }
  const Json own = to_json(config);
  for (const char* section : {"seed", "data", "model"}) {
    const auto key = difference(own.at(section), source.config.value(section, Json::object()));
    if (key.empty()) continue;
    const auto name = own.at(section).is_object() ? fmt::format("[{}] {}", section, key) : key;
    throw UsageError("model_from = {}: that network has another {}; data, model and seed must be the same", where,
                     name);
  }
}

void load_source(Workbench& bench) {
  const auto source = find_source(bench.config);
  const auto none = defense::make_defense("none");
  const auto epochs = config_from_json(source.config, bench.config.model_from).train.epochs;
  const train::Subject subject{bench.model, *none, bench.dataset, bench.splits};
  train::load_trained({std::filesystem::path(bench.config.model_from) / kCheckpoint, source.config_hash}, subject,
                      epochs);
}

}  // namespace infoscissors::experiment
