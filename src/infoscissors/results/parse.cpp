#include "infoscissors/base/error.h"
#include "infoscissors/results/node.h"
#include "infoscissors/results/record.h"

namespace infoscissors::results {
namespace {

using base::Error;
using base::Json;

AttackRecord parse_attack(const Node& node) {
  AttackRecord attack;
  attack.name = node.at("name").text();
  attack.spec = node.at("spec").text();
  attack.view = node.at("view").text();
  attack.goal = node.at("goal").choice({"input", "prediction"});
  attack.seed = node.at("seed").natural();
  attack.measures = node.at("measures").reals();
  attack.seconds = node.at("seconds").real();
  attack.images = node.at("images").file_name();
  for (const auto& item : node.at("samples").items()) {
    attack.samples.push_back({item.at("index").integer(0), item.at("ssim").real()});
  }
  attack.details = node.at("details").object();
  return attack;
}

}  // namespace

RunRecord from_json(const Json& document, const std::string& file) {
  const Node root(document, file, "");
  const auto schema = root.at("schema").integer(1);
  if (schema > kSchema) {
    throw Error("{}: has schema {}, but this version reads up to {}: use a newer one", file, schema, kSchema);
  }
  RunRecord record;
  record.status = root.at("status").choice({kRunning, kInterrupted, kFailed, kComplete});
  record.defense = root.at("defense").text();
  record.command = root.at("command").text();
  record.config_hash = root.at("config_hash").text();
  record.seed = root.at("seed").natural();
  record.version = root.at("version").text();
  record.commit = root.at("commit").text();
  record.libtorch = root.at("libtorch").text();
  record.machine = root.at("machine").object();
  record.config = root.at("config").object();
  record.data = root.at("data").object();
  record.trained = root.at("trained").boolean();
  record.train_seconds = root.at("train_seconds").real();
  for (const auto& item : root.at("epochs").items()) {
    record.epochs.push_back({item.at("epoch").integer(1), item.at("values").reals()});
  }
  for (const auto& item : root.at("warnings").items()) record.warnings.push_back(item.text());
  record.measures = root.at("measures").reals();
  record.originals = root.at("originals").file_name();
  for (const auto& item : root.at("attacks").items()) record.attacks.push_back(parse_attack(item));
  return record;
}

}  // namespace infoscissors::results
