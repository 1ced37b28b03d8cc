#pragma once

#include "infoscissors/base/error.h"
#include "infoscissors/base/json.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <limits>
#include <map>
#include <string>
#include <vector>

namespace infoscissors::results {

/// A place in a JSON document that knows its name, so that every error can say where it is. The document must outlive
/// it.
class Node {
  using Json = base::Json;

 public:
  Node(const Json& value, const std::string& file, std::string path)
      : value_(value), file_(file), path_(std::move(path)) {}

  Node at(const std::string& key) const {
    require(value_.is_object(), "an object");
    const auto found = value_.find(key);
    const std::string path = path_.empty() ? key : path_ + "." + key;
    if (found == value_.end()) throw base::Error("{}: key '{}' is missing", file_, path);
    return {*found, file_, path};
  }

  std::vector<Node> items() const {
    require(value_.is_array(), "a list");
    std::vector<Node> list;
    for (std::size_t i = 0; i < value_.size(); ++i)
      list.emplace_back(value_[i], file_, fmt::format("{}[{}]", path_, i));
    return list;
  }

  std::string text() const {
    require(value_.is_string(), "a string");
    return value_.get<std::string>();
  }

  std::string choice(std::initializer_list<const char*> choices) const {
    const bool known = value_.is_string() && std::find(choices.begin(), choices.end(), text()) != choices.end();
    require(known, fmt::format("one of {}", fmt::join(choices, ", ")));
    return text();
  }

  // Files are embedded in reports, so a record must not be able to name one outside its directory.
  std::string file_name() const {
    const std::filesystem::path path = text();
    const bool inside = path.is_relative() && std::find(path.begin(), path.end(), "..") == path.end();
    require(inside, "a path inside the run directory");
    return path.string();
  }

  bool boolean() const {
    require(value_.is_boolean(), "true or false");
    return value_.get<bool>();
  }

  double real() const {
    if (value_.is_null()) return std::numeric_limits<double>::quiet_NaN();
    require(value_.is_number(), "a number or null");
    return value_.get<double>();
  }

  std::uint64_t natural() const {
    require(value_.is_number_unsigned(), "a whole number >= 0");
    return value_.get<std::uint64_t>();
  }

  std::int64_t integer(std::int64_t low) const {
    const bool fits = value_.is_number_integer() &&
                      (!value_.is_number_unsigned() ||
                       value_.get<std::uint64_t>() <= std::uint64_t{std::numeric_limits<std::int64_t>::max()});
    require(fits && value_.get<std::int64_t>() >= low, fmt::format("a whole number >= {}", low));
    return value_.get<std::int64_t>();
  }

  std::map<std::string, double> reals() const {
    require(value_.is_object(), "an object");
    std::map<std::string, double> values;
    for (const auto& [key, value] : value_.items()) values[key] = at(key).real();
    return values;
  }

  Json object() const {
    require(value_.is_object(), "an object");
    return value_;
  }

 private:
  static constexpr std::size_t kShownCharacters = 60;

  static std::string shown(const Json& value) {
    std::string text = value.dump(-1, ' ', true, Json::error_handler_t::replace);
    return text.size() <= kShownCharacters ? text : text.substr(0, kShownCharacters) + "...";
  }

  void require(bool holds, const std::string& wanted) const {
    if (holds) return;
    const std::string where = path_.empty() ? "the document" : fmt::format("key '{}'", path_);
    throw base::Error("{}: {} must be {}, got {}", file_, where, wanted, shown(value_));
  }

  const Json& value_;
  const std::string& file_;
  std::string path_;
};

}  // namespace infoscissors::results
