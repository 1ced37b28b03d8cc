#pragma once

#include "infoscissors/base/json.h"

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace infoscissors::base {

/// What a value must satisfy, and how that reads in an error or a help text.
struct Constraint {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool low_open = false;
  bool high_open = false;
  std::vector<std::string> choices;  // for strings; empty: any

  std::string text() const;  // "in [0, 1)", ">= 1", "one of a, b"; empty where anything goes
};

Constraint any();
Constraint at_least(double low);
Constraint greater_than(double low);
Constraint between(double low, double high);    // closed
Constraint half_open(double low, double high);  // [low, high)
Constraint one_of(std::vector<std::string> choices);

using FieldValue = std::variant<bool*, std::int64_t*, double*, std::string*, std::vector<std::string>*>;

/// One option of a struct: the one description from which defaults, help, parsing, printing and hashing come.
struct Field {
  std::string name;
  FieldValue value;
  Constraint constraint;
  std::string help;
};

/// An options struct has a method `Fields fields()` that lists its members.
using Fields = std::vector<Field>;

/// The current values as a JSON object.
Json to_json(const Fields& fields);

/// Assigns the members that `object` names. `where` prefixes errors ("[train]"). Throws UsageError for an unknown key
/// (with the nearest known one), a wrong type or a value outside its range.
void assign(const Fields& fields, const Json& object, std::string_view where);

/// Assigns one field from text as it stands in a spec string or after --set. Same errors.
void assign_text(const Fields& fields, std::string_view key, std::string_view text, std::string_view where);

/// The schema of the options as JSON: a list of {name, type, default, range, help}.
Json describe(const Fields& fields);

/// The candidate nearest to `word` by edit distance, or empty if none is near.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

/// "did you mean 'x'?" or the list of what is known; for errors about names.
std::string suggestion(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace infoscissors::base
