#include "infoscissors/base/json.h"

#include "infoscissors/base/error.h"
#include "infoscissors/base/file.h"

// The parser asserts of its input what its errors say better: a file that breaks off in a table's name would end the
// process instead of being refused.
#define TOML_ASSERT(expression) static_assert(true)
#include <toml++/toml.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <sstream>

namespace infoscissors::base {
namespace {

constexpr std::uint64_t kLargestInteger = std::numeric_limits<std::int64_t>::max();

Json from_toml(const toml::node& node, const std::string& where) {
  if (const auto* table = node.as_table()) {
    Json object = Json::object();
    for (const auto& [key, value] : *table) object[std::string(key.str())] = from_toml(value, where);
    return object;
  }
  if (const auto* array = node.as_array()) {
    Json list = Json::array();
    for (const auto& value : *array) list.push_back(from_toml(value, where));
    return list;
  }
  if (const auto value = node.value_exact<bool>()) return *value;
  if (const auto value = node.value_exact<std::int64_t>()) return *value;
  if (const auto value = node.value_exact<double>()) return *value;
  if (const auto value = node.value_exact<std::string>()) return *value;
  throw UsageError("{}:{}: dates and times have no meaning in a configuration", where, node.source().begin.line);
}

toml::table table_of(const Json& object);

toml::array array_of(const Json& list) {
  toml::array array;
  for (const auto& value : list) {
    if (value.is_boolean()) {
      array.push_back(value.get<bool>());
    } else if (value.is_number_unsigned() && value.get<std::uint64_t>() > kLargestInteger) {
      throw Error("TOML cannot hold the whole number {}: it is larger than {}", value.dump(), kLargestInteger);
    } else if (value.is_number_integer()) {
      array.push_back(value.get<std::int64_t>());
    } else if (value.is_number()) {
      array.push_back(value.get<double>());
    } else if (value.is_string()) {
      array.push_back(value.get<std::string>());
    } else if (value.is_array()) {
      array.push_back(array_of(value));
    } else if (value.is_object()) {
      array.push_back(table_of(value));
    } else {
      throw Error("TOML cannot hold the value {}", value.dump());
    }
  }
  return array;
}

toml::table table_of(const Json& object) {
  toml::table table;
  for (const auto& [key, value] : object.items()) {
    if (value.is_object()) {
      table.insert(key, table_of(value));
      continue;
    }
    auto one = array_of(Json::array({value}));
    one.front().visit([&, name = key](auto& node) { table.insert(name, node); });
  }
  return table;
}

}  // namespace

Json real(double value) {
  return std::isfinite(value) ? Json(value) : Json(nullptr);
}

Json read_json(const std::filesystem::path& path) {
  try {
    return Json::parse(read_file(path));
  } catch (const Json::parse_error& error) {
    throw Error("{}: not valid JSON: {}", path.string(), error.what());
  }
}

void write_json(const std::filesystem::path& path, const Json& document) {
  // A file name or a system's message need not be UTF-8; that must not cost the whole record.
  write_file(path, document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

Json read_toml(const std::filesystem::path& path) {
  const std::string text = read_file(path);
  try {
    return from_toml(toml::parse(text, path.string()), path.string());
  } catch (const toml::parse_error& error) {
    const auto at = error.source().begin;
    std::string description(error.description());
    std::replace(description.begin(), description.end(), '\n', ' ');  // it quotes the file
    throw UsageError("{}:{}:{}: {}", path.string(), at.line, at.column, description);
  }
}

std::string to_toml(const Json& document) {
  std::ostringstream out;
  out << table_of(document) << "\n";
  return out.str();
}

}  // namespace infoscissors::base
