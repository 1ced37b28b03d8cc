#include "infoscissors/train/checkpoint.h"

#include "infoscissors/base/error.h"
#include "infoscissors/nn/initialise.h"
#include "infoscissors/ranks/group.h"
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

Tensors tensors_of(const Subject& subject, const nn::Optimizer& optimizer, const Position& position) {
  Tensors all;
  for (const auto& [prefix, module] : parts(subject)) put(all, prefix, nn::state_of(*module));
  put(all, "defense_state.", subject.defense.state());
  put(all, "optimizer.", optimizer.state());
  all["sums"] = position.sums;
  return all;
}

}  // namespace

void save_checkpoint(const CheckpointPlace& place, const Subject& subject, const nn::Optimizer& optimizer,
                     const Position& position) {
  tensor::TensorFile file;
  file.tensors = tensors_of(subject, optimizer, position);
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

void share_state(const ranks::Group& group, const Subject& subject, nn::Optimizer& optimizer, Position& position) {
  tensor::TensorFile file;
  file.tensors = tensors_of(subject, optimizer, position);
  const auto where = torch::tensor({position.epoch, position.step}, torch::kInt64);
  // One message: there are hundreds of tensors of a few numbers.
  std::vector<torch::Tensor> bytes;
  for (auto& [name, tensor] : file.tensors) {
    tensor = tensor.detach().cpu().contiguous();
    bytes.push_back(tensor.view({-1}).view(torch::kUInt8));
  }
  const auto message = torch::cat(bytes);
  group.broadcast(where);
  group.broadcast(message);
  if (group.rank() == 0) return;
  std::int64_t begin = 0;
  for (auto& [name, tensor] : file.tensors) {
    const auto count = static_cast<std::int64_t>(tensor.nbytes());
    // Through a copy, for alignment.
    tensor = message.narrow(0, begin, count).clone().view(tensor.scalar_type()).view(tensor.sizes());
    begin += count;
  }
  restore_networks(file, subject, "rank 0's state");
  optimizer.load_state(take(file.tensors, "optimizer."));
  position.sums.copy_(file.tensors.at("sums"));
  position.epoch = where[0].item<std::int64_t>();
  position.step = where[1].item<std::int64_t>();
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
