#include "infoscissors/experiment/config.h"

#include "infoscissors/attack/attack.h"
#include "infoscissors/base/error.h"
#include "infoscissors/base/hash.h"
#include "infoscissors/defense/defense.h"
#include "infoscissors/experiment/source.h"

namespace infoscissors::experiment {
namespace {

using base::Fields;
using base::Json;
using base::UsageError;

struct Section {
  std::string name;
  Fields fields;
};

std::vector<Section> sections(RunConfig& config) {
  return {{"data", config.data.fields()},
          {"model", config.model.fields()},
          {"train", config.train.fields()},
          {"evaluate", config.evaluate.fields()},
          {"runtime", config.runtime.fields()}};
}

Fields top_level(RunConfig& config) {
  return {
      {"seed", &config.seed, base::at_least(0), "the one seed from which everything random derives"},
      {"defense", &config.defense, base::any(), "defence, e.g. infoscissors(input=0.4)+an(scale=0.1)"},
      {"model_from", &config.model_from, base::any(),
       "run directory of a trained undefended network: the defence is added to it, without training it anew"},
      {"attacks", &config.attacks, base::any(), "attacks, e.g. ka(decoder=res,budget=400)"},
  };
}

std::vector<std::string> known_keys(RunConfig& config) {
  std::vector<std::string> keys;
  for (const auto& field : top_level(config)) keys.push_back(field.name);
  for (const auto& section : sections(config)) keys.push_back(section.name);
  return keys;
}

[[noreturn]] void unknown_key(RunConfig& config, const std::string& key, const std::string& where) {
  throw UsageError("{}: there is no section or key '{}': {}", where, key, base::suggestion(key, known_keys(config)));
}

bool is_top_level(RunConfig& config, const std::string& key) {
  const auto fields = top_level(config);
  return std::any_of(fields.begin(), fields.end(), [&](const base::Field& field) { return field.name == key; });
}

std::string canonical_attack(const std::string& text) {
  const auto spec = base::parse_spec(text);
  return attack::registry().find(spec.name).canonical(spec);
}

}  // namespace

Fields EvaluateOptions::fields() {
  return {
      {"split", &split, base::one_of({"test", "validation"}),
       "images that are measured and attacked; validation to choose settings without looking at the test images"},
      {"images", &images, base::between(1, 1e6), "test images whose reconstruction is attacked"},
      {"samples", &samples, base::between(0, 64), "of them kept as pictures for the report"},
  };
}

Fields RuntimeOptions::fields() {
  return {
      {"device", &device, base::any(), "auto, cpu, cuda or cuda:N"},
      {"precision", &precision, base::one_of({"auto", "fp32", "bf16"}),
       "auto: bf16 where the hardware computes with it"},
      {"threads", &threads, base::between(0, 4096), "0: every core"},
  };
}

RunConfig config_from_json(const Json& document, const std::string& where) {
  RunConfig config;
  if (!document.is_object()) throw UsageError("{}: must be a table of sections", where);
  Json top = Json::object();
  for (const auto& [key, value] : document.items()) {
    if (is_top_level(config, key)) {
      top[key] = value;
      continue;
    }
    bool found = false;
    for (const auto& section : sections(config)) {
      if (section.name != key) continue;
      base::assign(section.fields, value, where + ": [" + key + "]");
      found = true;
    }
    if (!found) unknown_key(config, key, where);
  }
  base::assign(top_level(config), top, where + ":");
  return config;
}

RunConfig load_config(const std::filesystem::path& path) {
  if (!std::filesystem::exists(path)) throw UsageError("{}: there is no such configuration file", path.string());
  return config_from_json(base::read_toml(path), path.string());
}

void set_option(RunConfig& config, const std::string& assignment) {
  const auto equals = assignment.find('=');
  if (equals == std::string::npos) throw UsageError("--set wants key=value, e.g. train.epochs=3, got '{}'", assignment);
  const auto key = assignment.substr(0, equals);
  const auto value = assignment.substr(equals + 1);
  const auto dot = key.find('.');
  if (dot == std::string::npos) {
    if (!is_top_level(config, key)) unknown_key(config, key, "--set");
    base::assign_text(top_level(config), key, value, "--set");
    return;
  }
  const auto name = key.substr(0, dot);
  for (const auto& section : sections(config)) {
    if (section.name != name) continue;
    base::assign_text(section.fields, key.substr(dot + 1), value, "--set [" + name + "]");
    return;
  }
  unknown_key(config, name, "--set");
}

Json to_json(const RunConfig& original) {
  RunConfig config = original;
  config.defense = defense::canonical_defense(config.defense);
  for (auto& text : config.attacks) text = canonical_attack(text);
  Json document = base::to_json(top_level(config));
  for (const auto& section : sections(config)) document[section.name] = base::to_json(section.fields);
  return document;
}

void validate(const RunConfig& config) {
  defense::make_defense(config.defense);
  if (config.evaluate.split == "validation" && config.data.validation == 0) {
    throw UsageError("[evaluate] split = \"validation\" needs [data] validation > 0");
  }
  for (const auto& text : config.attacks) attack::registry().make(base::parse_spec(text));
  if (!config.model_from.empty()) check_source(config, find_source(config));
}

std::string config_hash(const RunConfig& config) {
  return config_hash(config, config.model_from.empty() ? "" : find_source(config).config_hash);
}

std::string config_hash(const RunConfig& config, const std::string& network) {
  Json identity = to_json(config);
  identity.erase("attacks");
  identity["evaluate"] = {{"split", config.evaluate.split}};
  identity.erase("model_from");
  if (!network.empty()) identity["network"] = network;
  identity["data"].erase("path");
  identity["runtime"] = {{"precision", config.runtime.precision}};
  return base::content_hash(identity.dump());
}

Json describe_config() {
  RunConfig config;
  Json document = {{"", base::describe(top_level(config))}};
  for (const auto& section : sections(config)) document[section.name] = base::describe(section.fields);
  return document;
}

}  // namespace infoscissors::experiment
