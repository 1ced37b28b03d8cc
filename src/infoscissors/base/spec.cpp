#include "infoscissors/base/spec.h"

#include "infoscissors/base/error.h"

#include <algorithm>
#include <cctype>
#include <set>

namespace infoscissors::base {
namespace {

constexpr auto kNpos = std::string_view::npos;

std::string_view trim(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())) != 0) text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) text.remove_suffix(1);
  return text;
}

// Splits at `separator` outside parentheses.
std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  int depth = 0;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    depth += text[i] == '(' ? 1 : text[i] == ')' ? -1 : 0;
    if (text[i] == separator && depth == 0) {
      parts.push_back(text.substr(begin, i - begin));
      begin = i + 1;
    }
  }
  parts.push_back(text.substr(begin));
  return parts;
}

bool balanced(std::string_view text) {
  int depth = 0;
  for (const char c : text) {
    depth += c == '(' ? 1 : c == ')' ? -1 : 0;
    if (depth < 0) return false;
  }
  return depth == 0;
}

bool valid_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
  });
}

std::string value_text(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_array()) return value.dump();
  return fmt::format("{}", fmt::join(value.get<std::vector<std::string>>(), ";"));
}

}  // namespace

Spec parse_spec(std::string_view text) {
  const std::string_view whole = trim(text);
  const auto wrong = [&](const std::string& why) {
    return UsageError("'{}': {}; a method is written name(key=value,...)", whole, why);
  };
  Spec spec;
  const auto open = whole.find('(');
  const auto name = trim(whole.substr(0, open));
  if (!valid_name(name)) throw wrong(name.empty() ? "the name is missing" : fmt::format("'{}' is not a name", name));
  spec.name = name;
  if (open == kNpos) return spec;
  if (whole.back() != ')') throw wrong("the closing parenthesis is missing");
  const auto inside = trim(whole.substr(open + 1, whole.size() - open - 2));
  if (inside.empty()) return spec;
  if (!balanced(inside)) throw wrong("its parentheses do not match");
  for (const auto part : split(inside, ',')) {
    const auto equals = part.find('=');
    const auto key = trim(part.substr(0, equals));
    if (equals == kNpos || !valid_name(key)) throw wrong(fmt::format("'{}' is not key=value", trim(part)));
    spec.options.emplace_back(std::string(key), std::string(trim(part.substr(equals + 1))));
  }
  return spec;
}

std::vector<Spec> parse_specs(std::string_view text) {
  std::vector<Spec> specs;
  if (trim(text).empty()) return specs;
  for (const auto part : split(text, '+')) specs.push_back(parse_spec(part));
  return specs;
}

std::string print_spec(std::string_view name, const Fields& values, const Json& defaults) {
  const Json current = to_json(values);
  std::string options;
  for (const auto& field : values) {
    if (current[field.name] == defaults[field.name]) continue;
    options += fmt::format("{}{}={}", options.empty() ? "" : ",", field.name, value_text(current[field.name]));
  }
  return options.empty() ? std::string(name) : fmt::format("{}({})", name, options);
}

void assign(const Fields& fields, const Spec& spec, std::string_view where) {
  std::set<std::string> seen;
  for (const auto& [key, value] : spec.options) {
    if (!seen.insert(key).second) throw UsageError("{} {} is given twice", where, key);
    assign_text(fields, key, value, where);
  }
}

}  // namespace infoscissors::base
