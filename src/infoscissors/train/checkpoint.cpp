#include "infoscissors/train/checkpoint.h"

#include "infoscissors/base/error.h"
#include "infoscissors/nn/initialise.h"
#include "infoscissors/tensor/file.h"

namespace infoscissors::train {
namespace {

using base::Error;
using base::Json;
using base::UsageError;
using Tensors = std::map<std::string, torch::Tensor>;

constexpr const char* kFormat = "infoscissors-checkpoint";
constexpr int kVersion = 1;

void put(Tensors& all, const std::string& prefix, const Tensors& part) {
  for (const auto& [name, tensor] : part) all[prefix + name] = tensor;
}

Tensors take(const Tensors& all, const std::string& prefix) {
  Tensors part;
  for (const auto& [name, tensor] : all) {
    if (name.starts_with(prefix)) part[name.substr(prefix.size())] = tensor;
  }
  return part;
}

std::vector<std::pair<std::string, torch::nn::Module*>> parts(const Subject& subject) {
  std::vector<std::pair<std::string, torch::nn::Module*>> list = {
      {"head.", subject.model.head.layer.get()},
      {"encoder.", subject.model.encoder.layer.get()},
      {"classifier.", subject.model.classifier.layer.get()},
  };
  for (const auto& [name, module] : subject.defense.modules()) list.emplace_back("defense." + name + ".", module.get());
  return list;
}

Json log_to_json(const TrainLog& log) {
  Json epochs = Json::array();
  for (const auto& epoch : log.epochs) {
    epochs.push_back({{"epoch", epoch.epoch}, {"values", epoch.values}, {"warnings", epoch.warnings}});
  }
  return {{"epochs", epochs}, {"seconds", log.seconds}};
}

TrainLog log_from_json(const Json& document) {
  TrainLog log;
  log.seconds = document.at("seconds").get<double>();
  for (const auto& entry : document.at("epochs")) {
    EpochLog epoch;
    epoch.epoch = entry.at("epoch").get<std::int64_t>();
    for (const auto& [name, value] : entry.at("values").items()) {
      epoch.values[name] = value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>();
    }
    epoch.warnings = entry.at("warnings").get<std::vector<std::string>>();
    log.epochs.push_back(std::move(epoch));
  }
  return log;
}

std::string metadata(const tensor::TensorFile& file, const std::string& key, const std::string& name) {
  const auto found = file.metadata.find(key);
  if (found == file.metadata.end()) throw Error("{}: not a checkpoint of this program: it lacks '{}'", name, key);
  return found->second;
}

/// Reads the file and refuses what does not belong here.
tensor::TensorFile read(const CheckpointPlace& place) {
  auto file = tensor::load_tensors(place.file);
  const auto name = place.file.string();
  if (metadata(file, "format", name) != kFormat) throw Error("{}: not a checkpoint of this program", name);
  if (metadata(file, "version", name) != std::to_string(kVersion)) {
    throw UsageError("{}: version {} of the checkpoint format is not known here (this program writes version {})", name,
                     metadata(file, "version", name), kVersion);
  }
  const auto hash = metadata(file, "config_hash", name);
  if (hash != place.config_hash) {
    throw UsageError("{}: belongs to another configuration ({} instead of {}); choose another --out or remove it", name,
                     hash.substr(0, 12), place.config_hash.substr(0, 12));
  }
  return file;
}

Position position_of(const tensor::TensorFile& file, const std::string& name) {
  Position position;
  try {
    const Json state = Json::parse(metadata(file, "position", name));
    position.epoch = state.at("epoch").get<std::int64_t>();
    position.step = state.at("step").get<std::int64_t>();
    position.log = log_from_json(state.at("log"));
    position.sums = file.tensors.at("sums");
  } catch (const std::exception& error) {
    throw Error("{}: damaged: {}", name, error.what());
  }
  return position;
}

void restore_networks(const tensor::TensorFile& file, const Subject& subject, const std::string& name) {
  try {
    for (const auto& [prefix, module] : parts(subject)) nn::load_state(*module, take(file.tensors, prefix));
    subject.defense.load_state(take(file.tensors, "defense_state."));
  } catch (const Error& error) {
    throw Error("{}: {}", name, error.what());
  }
}

}  // namespace

void save_checkpoint(const CheckpointPlace& place, const Subject& subject, const nn::Optimizer& optimizer,
                     const Position& position) {
  tensor::TensorFile file;
  for (const auto& [prefix, module] : parts(subject)) put(file.tensors, prefix, nn::state_of(*module));
  put(file.tensors, "defense_state.", subject.defense.state());
  put(file.tensors, "optimizer.", optimizer.state());
  file.tensors["sums"] = position.sums;
  const Json state = {{"epoch", position.epoch}, {"step", position.step}, {"log", log_to_json(position.log)}};
  file.metadata = {{"format", kFormat},
                   {"version", std::to_string(kVersion)},
                   {"config_hash", place.config_hash},
                   {"position", state.dump()}};
  tensor::save_tensors(place.file, file);
}

bool load_checkpoint(const CheckpointPlace& place, const Subject& subject, nn::Optimizer& optimizer,
                     Position& position) {
  if (place.file.empty() || !std::filesystem::exists(place.file)) return false;
  const auto file = read(place);
  const auto name = place.file.string();
  position = position_of(file, name);
  restore_networks(file, subject, name);
  try {
    optimizer.load_state(take(file.tensors, "optimizer."));
  } catch (const Error& error) {
    throw Error("{}: {}", name, error.what());
  }
  return true;
}

void load_trained(const CheckpointPlace& place, const Subject& subject, std::int64_t epochs) {
  const auto name = place.file.string();
  if (!std::filesystem::exists(place.file)) throw Error("{}: is missing; train this run first", name);
  const auto file = read(place);
  const auto position = position_of(file, name);
  if (position.epoch < epochs) {
    throw Error("{}: training stands at epoch {} of {}; finish it first with the same train command", name,
                position.epoch, epochs);
  }
  restore_networks(file, subject, name);
}

}  // namespace infoscissors::train
