#include "infoscissors/results/record.h"

#include "infoscissors/base/error.h"

#include <algorithm>

namespace infoscissors::results {
namespace {

using base::Error;
using base::Json;

Json numbers(const std::map<std::string, double>& values) {
  Json object = Json::object();
  for (const auto& [key, value] : values) object[key] = base::real(value);
  return object;
}

// The document in memory must equal the one on the disk, so what JSON cannot hold goes here and not while printing.
Json finite(const Json& document) {
  if (document.is_number_float()) return base::real(document.get<double>());
  if (!document.is_structured()) return document;
  Json copy = document;
  for (auto& value : copy) value = finite(value);
  return copy;
}

Json object_or_empty(const Json& document) {
  return document.is_null() ? Json::object() : finite(document);
}

Json to_json(const AttackRecord& attack) {
  Json samples = Json::array();
  for (const auto& sample : attack.samples)
    samples.push_back({{"index", sample.index}, {"ssim", base::real(sample.ssim)}});
  return {{"name", attack.name},
          {"spec", attack.spec},
          {"view", attack.view},
          {"goal", attack.goal},
          {"seed", attack.seed},
          {"measures", numbers(attack.measures)},
          {"seconds", base::real(attack.seconds)},
          {"images", attack.images},
          {"samples", std::move(samples)},
          {"details", object_or_empty(attack.details)}};
}

}  // namespace

Json to_json(const RunRecord& record) {
  Json epochs = Json::array();
  for (const auto& epoch : record.epochs) epochs.push_back({{"epoch", epoch.epoch}, {"values", numbers(epoch.values)}});
  Json attacks = Json::array();
  for (const auto& attack : record.attacks) attacks.push_back(to_json(attack));
  return {{"schema", kSchema},
          {"status", record.status},
          {"defense", record.defense},
          {"command", record.command},
          {"config_hash", record.config_hash},
          {"seed", record.seed},
          {"version", record.version},
          {"commit", record.commit},
          {"libtorch", record.libtorch},
          {"machine", object_or_empty(record.machine)},
          {"config", object_or_empty(record.config)},
          {"data", object_or_empty(record.data)},
          {"trained", record.trained},
          {"train_seconds", base::real(record.train_seconds)},
          {"epochs", std::move(epochs)},
          {"warnings", record.warnings},
          {"measures", numbers(record.measures)},
          {"originals", record.originals},
          {"attacks", std::move(attacks)}};
}

RunRecord load_run(const std::filesystem::path& directory) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(directory, ignored)) {
    throw Error("{}: is not a run directory: there is no such directory", directory.string());
  }
  const auto file = directory / kRecordFile;
  if (!std::filesystem::exists(file, ignored)) {
    throw Error("{}: is not a run directory: it has no {}", directory.string(), kRecordFile);
  }
  return from_json(base::read_json(file), file.string());
}

void save_run(const std::filesystem::path& directory, const RunRecord& record) {
  base::write_json(directory / kRecordFile, to_json(record));
}

void put_attack(RunRecord& record, AttackRecord attack) {
  const auto same = std::find_if(record.attacks.begin(), record.attacks.end(), [&](const AttackRecord& other) {
    return other.spec == attack.spec && other.seed == attack.seed;
  });
  if (same == record.attacks.end()) {
    record.attacks.push_back(std::move(attack));
  } else {
    *same = std::move(attack);
  }
}

}  // namespace infoscissors::results
