#include "infoscissors/base/options.h"

#include "infoscissors/base/error.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>

namespace infoscissors::base {
namespace {

template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <class... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

constexpr std::uint64_t kLargest = std::numeric_limits<std::int64_t>::max();

std::string number(double value) {
  return fmt::format("{:g}", value);
}

const Field& find_field(const Fields& fields, std::string_view key, std::string_view where) {
  const auto found = std::find_if(fields.begin(), fields.end(), [&](const Field& field) { return field.name == key; });
  if (found != fields.end()) return *found;
  std::vector<std::string> names;
  for (const auto& field : fields) names.push_back(field.name);
  if (names.empty()) throw UsageError("{} takes no options, but '{}' was given", where, key);
  throw UsageError("{} has no option '{}': {}", where, key, suggestion(key, names));
}

[[noreturn]] void refuse(std::string_view where, const Field& field, const std::string& wanted,
                         const std::string& got) {
  throw UsageError("{} {} must be {}, got {}", where, field.name, wanted, got);
}

void check_number(const Field& field, double value, std::string_view where) {
  const auto& c = field.constraint;
  const bool below = c.low_open ? !(value > c.low) : !(value >= c.low);
  const bool above = c.high_open ? !(value < c.high) : !(value <= c.high);
  if (below || above || !std::isfinite(value)) {
    const auto wanted = c.text();
    refuse(where, field, wanted.empty() ? "a finite number" : wanted, number(value));
  }
}

void check_choice(const Field& field, const std::string& value, std::string_view where) {
  const auto& choices = field.constraint.choices;
  if (choices.empty() || std::find(choices.begin(), choices.end(), value) != choices.end()) return;
  refuse(where, field, field.constraint.text(), fmt::format("'{}'", value));
}

void assign_value(const Field& field, const Json& value, std::string_view where) {
  std::visit(Overloaded{
                 [&](bool* target) {
                   if (!value.is_boolean()) refuse(where, field, "true or false", value.dump());
                   *target = value.get<bool>();
                 },
                 [&](std::int64_t* target) {
                   if (!value.is_number_integer()) refuse(where, field, "a whole number", value.dump());
                   if (value.is_number_unsigned() && value.get<std::uint64_t>() > kLargest) {
                     refuse(where, field, fmt::format("at most {}", kLargest), value.dump());
                   }
                   check_number(field, value.get<double>(), where);
                   *target = value.get<std::int64_t>();
                 },
                 [&](double* target) {
                   if (!value.is_number()) refuse(where, field, "a number", value.dump());
                   check_number(field, value.get<double>(), where);
                   *target = value.get<double>();
                 },
                 [&](std::string* target) {
                   if (!value.is_string()) refuse(where, field, "a string", value.dump());
                   check_choice(field, value.get<std::string>(), where);
                   *target = value.get<std::string>();
                 },
                 [&](std::vector<std::string>* target) {
                   const bool strings =
                       value.is_array() &&
                       std::all_of(value.begin(), value.end(), [](const Json& item) { return item.is_string(); });
                   if (!strings) refuse(where, field, "a list of strings", value.dump());
                   auto list = value.get<std::vector<std::string>>();
                   for (const auto& item : list) check_choice(field, item, where);
                   *target = std::move(list);
                 },
             },
             field.value);
}

template <class Number>
Json parse_number(const Field& field, std::string_view text, std::string_view where, const char* wanted) {
  Number value{};
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size()) refuse(where, field, wanted, fmt::format("'{}'", text));
  return value;
}

Json parse_list(std::string_view text) {
  Json list = Json::array();
  int depth = 0;
  std::string item;
  for (const char c : text) {
    depth += c == '(' ? 1 : c == ')' ? -1 : 0;
    if (c == ';' && depth == 0) {
      list.push_back(item);
      item.clear();
    } else {
      item += c;
    }
  }
  if (!item.empty()) list.push_back(item);
  return list;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (const char c : a) {
    std::size_t diagonal = row[0]++;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t substituted = diagonal + (c == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({row[j] + 1, row[j + 1] + 1, substituted});
    }
  }
  return row.back();
}

}  // namespace

std::string Constraint::text() const {
  if (!choices.empty()) return fmt::format("one of {}", fmt::join(choices, ", "));
  const bool bounded_below = std::isfinite(low);
  const bool bounded_above = std::isfinite(high);
  if (bounded_below && bounded_above) {
    return fmt::format("in {}{}, {}{}", low_open ? '(' : '[', number(low), number(high), high_open ? ')' : ']');
  }
  if (bounded_below) return fmt::format("{} {}", low_open ? ">" : ">=", number(low));
  if (bounded_above) return fmt::format("{} {}", high_open ? "<" : "<=", number(high));
  return {};
}

Constraint any() {
  return {};
}
Constraint at_least(double low) {
  return {.low = low, .choices = {}};
}
Constraint greater_than(double low) {
  return {.low = low, .low_open = true, .choices = {}};
}
Constraint between(double low, double high) {
  return {.low = low, .high = high, .choices = {}};
}
Constraint half_open(double low, double high) {
  return {.low = low, .high = high, .high_open = true, .choices = {}};
}
Constraint one_of(std::vector<std::string> choices) {
  return {.choices = std::move(choices)};
}

Json to_json(const Fields& fields) {
  Json object = Json::object();
  for (const auto& field : fields) {
    std::visit([&](const auto* value) { object[field.name] = *value; }, field.value);
  }
  return object;
}

void assign(const Fields& fields, const Json& object, std::string_view where) {
  if (!object.is_object()) throw UsageError("{} must be a table of options, got {}", where, object.dump());
  for (const auto& [key, value] : object.items()) assign_value(find_field(fields, key, where), value, where);
}

void assign_text(const Fields& fields, std::string_view key, std::string_view text, std::string_view where) {
  const Field& field = find_field(fields, key, where);
  const Json value =
      std::visit(Overloaded{
                     [&](bool*) -> Json {
                       if (text == "true" || text == "false") return text == "true";
                       refuse(where, field, "true or false", fmt::format("'{}'", text));
                     },
                     [&](std::int64_t*) { return parse_number<std::int64_t>(field, text, where, "a whole number"); },
                     [&](double*) { return parse_number<double>(field, text, where, "a number"); },
                     [&](std::string*) -> Json { return std::string(text); },
                     [&](std::vector<std::string>*) { return parse_list(text); },
                 },
                 field.value);
  assign_value(field, value, where);
}

Json describe(const Fields& fields) {
  Json list = Json::array();
  const Json defaults = to_json(fields);
  for (const auto& field : fields) {
    const char* type = std::visit(Overloaded{
                                      [](bool*) { return "boolean"; },
                                      [](std::int64_t*) { return "integer"; },
                                      [](double*) { return "number"; },
                                      [](std::string*) { return "string"; },
                                      [](std::vector<std::string>*) { return "list of strings"; },
                                  },
                                  field.value);
    list.push_back({{"name", field.name},
                    {"type", type},
                    {"default", defaults[field.name]},
                    {"range", field.constraint.text()},
                    {"help", field.help}});
  }
  return list;
}

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const auto& candidate : candidates) {
    const auto distance = edit_distance(word, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

std::string suggestion(std::string_view word, const std::vector<std::string>& candidates) {
  const auto near = nearest(word, candidates);
  if (!near.empty()) return fmt::format("did you mean '{}'?", near);
  return fmt::format("known are {}", fmt::join(candidates, ", "));
}

}  // namespace infoscissors::base
