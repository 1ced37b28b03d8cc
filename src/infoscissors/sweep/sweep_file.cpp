#include "infoscissors/sweep/sweep_file.h"

#include "infoscissors/base/error.h"
#include "infoscissors/base/hash.h"
#include "infoscissors/base/options.h"

#include <algorithm>

namespace infoscissors::sweep {
namespace {

using base::Json;
using base::UsageError;

const std::vector<std::string> kKeys = {"name",     "seeds",     "attacks", "base",
                                        "datasets", "backbones", "cuts",    "defenses"};
const std::vector<std::string> kSections = {"data", "model", "train", "evaluate"};
const std::vector<std::string> kDefenseKeys = {"spec", "strengths", "retrain"};

bool among(const std::string& word, const std::vector<std::string>& list) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

[[noreturn]] void refuse(const std::string& where, const std::string& key, const std::string& wanted, const Json& got) {
  throw UsageError("{}: {} must be {}, got {}", where, key, wanted, got.dump());
}

std::string text(const Json& value, const std::string& where, const std::string& key) {
  if (!value.is_string() || value.get<std::string>().empty()) refuse(where, key, "a string that is not empty", value);
  return value.get<std::string>();
}

std::vector<std::string> texts(const Json& value, const std::string& where, const std::string& key) {
  if (!value.is_array()) refuse(where, key, "a list of strings", value);
  std::vector<std::string> list;
  for (const auto& item : value) list.push_back(text(item, where, key));
  return list;
}

std::vector<std::int64_t> seeds_of(const Json& value, const std::string& where) {
  const bool whole = value.is_array() && std::all_of(value.begin(), value.end(), [](const Json& item) {
                       return item.is_number_integer() && item.get<std::int64_t>() >= 0;
                     });
  if (!whole) refuse(where, "seeds", "a list of whole numbers >= 0", value);
  if (value.empty()) throw UsageError("{}: seeds is empty, so there is nothing to run", where);
  return value.get<std::vector<std::int64_t>>();
}

std::vector<double> strengths_of(const Json& value, const std::string& where) {
  const bool numbers =
      value.is_array() && std::all_of(value.begin(), value.end(), [](const Json& item) { return item.is_number(); });
  if (!numbers) refuse(where, "strengths", "a list of numbers", value);
  if (value.empty()) throw UsageError("{}: strengths is empty; leave it out to run the spec as it stands", where);
  return value.get<std::vector<double>>();
}

/// The keys that every axis has: sections to change, a label, attacks.
void read_common(AxisValue& axis, const std::string& key, const Json& value) {
  if (key == "label") {
    axis.label = text(value, axis.where, key);
  } else if (key == "attacks") {
    axis.attacks = texts(value, axis.where, key);
  } else {
    if (!value.is_object()) refuse(axis.where, key, "a table of options", value);
    axis.patch[key] = value;
  }
}

void check_key(const AxisValue& axis, const std::string& key, std::vector<std::string> known) {
  known.insert(known.end(), {"label", "attacks"});
  known.insert(known.end(), kSections.begin(), kSections.end());
  if (among(key, known)) return;
  throw UsageError("{}: there is no key '{}': {}", axis.where, key, base::suggestion(key, known));
}

AxisValue read_axis(const Json& entry, const std::string& where) {
  AxisValue axis;
  axis.where = where;
  if (!entry.is_object()) throw UsageError("{}: must be a table such as {{model = {{width = 0.5}}}}", where);
  for (const auto& [key, value] : entry.items()) {
    check_key(axis, key, {});
    read_common(axis, key, value);
  }
  return axis;
}

DefenseAxis read_defense(const Json& entry, const std::string& where) {
  DefenseAxis axis;
  axis.where = where;
  if (!entry.is_object()) throw UsageError("{}: must be a table such as {{spec = \"an\", strengths = [0.1]}}", where);
  for (const auto& [key, value] : entry.items()) {
    check_key(axis, key, kDefenseKeys);
    if (key == "spec") {
      axis.spec = text(value, where, key);
    } else if (key == "strengths") {
      axis.strengths = strengths_of(value, where);
    } else if (key == "retrain") {
      if (!value.is_boolean()) refuse(where, key, "true or false", value);
      axis.retrain = value.get<bool>();
    } else {
      read_common(axis, key, value);
    }
  }
  if (axis.spec.empty()) throw UsageError("{}: spec is missing, e.g. spec = \"an\"", where);
  return axis;
}

template <class Value, class Read>
std::vector<Value> read_list(const Json& document, const std::string& key, const std::string& file, Read read) {
  std::vector<Value> list;
  if (!document.contains(key)) return list;
  const auto& entries = document.at(key);
  if (!entries.is_array()) refuse(file, key, fmt::format("a list of tables, [[{}]]", key), entries);
  if (entries.empty()) throw UsageError("{}: {} is empty, so there is nothing to run", file, key);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    list.push_back(read(entries[i], fmt::format("{}: {}[{}]", file, key, i)));
  }
  return list;
}

std::vector<AxisValue> read_axes(const Json& document, const std::string& key, const std::string& file) {
  auto list = read_list<AxisValue>(document, key, file, read_axis);
  if (list.empty()) list.push_back({.where = file, .label = {}, .attacks = {}});
  return list;
}

/// What the axes decide cannot stand in the base as well.
Json read_base(const Json& document, const std::string& file) {
  const Json base = document.value("base", Json::object());
  if (!base.is_object()) refuse(file, "base", "a run configuration, [base.data] and so on", base);
  for (const char* key : {"seed", "defense", "attacks", "model_from"}) {
    if (!base.contains(key)) continue;
    throw UsageError("{}: [base] {} is decided by the sweep: use seeds, [[defenses]] and attacks", file, key);
  }
  return base;
}

}  // namespace

SweepFile load_sweep_file(const std::filesystem::path& path) {
  const auto file = path.string();
  if (!std::filesystem::exists(path)) throw UsageError("{}: there is no such sweep file", file);
  const Json document = base::read_toml(path);
  for (const auto& [key, value] : document.items()) {
    if (!among(key, kKeys)) throw UsageError("{}: there is no key '{}': {}", file, key, base::suggestion(key, kKeys));
  }
  SweepFile sweep;
  sweep.path = path;
  sweep.name = document.contains("name") ? text(document.at("name"), file, "name") : path.stem().string();
  sweep.hash = base::content_hash(document.dump());
  sweep.base = read_base(document, file);
  sweep.datasets = read_axes(document, "datasets", file);
  sweep.backbones = read_axes(document, "backbones", file);
  sweep.cuts = read_axes(document, "cuts", file);
  sweep.defenses = read_list<DefenseAxis>(document, "defenses", file, read_defense);
  if (sweep.defenses.empty()) throw UsageError("{}: there is no [[defenses]], so there is nothing to run", file);
  sweep.seeds = document.contains("seeds") ? seeds_of(document.at("seeds"), file) : std::vector<std::int64_t>{0};
  if (document.contains("attacks")) sweep.attacks = texts(document.at("attacks"), file, "attacks");
  return sweep;
}

}  // namespace infoscissors::sweep
