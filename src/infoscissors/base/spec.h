#pragma once

#include "infoscissors/base/options.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace infoscissors::base {

/// A method with its options, written `name(key=value,...)`.
struct Spec {
  std::string name;
  std::vector<std::pair<std::string, std::string>> options;
};

/// Parses one spec. Throws UsageError that shows where the text stops making sense.
Spec parse_spec(std::string_view text);

/// Parses `a(x=1)+b`; the order is kept. An empty text gives an empty list.
std::vector<Spec> parse_specs(std::string_view text);

/// The canonical text of a method: every option that differs from its default, in declaration order.
std::string print_spec(std::string_view name, const Fields& values, const Json& defaults);

/// Assigns a spec's options to fields; `where` prefixes errors. A key given twice is an error.
void assign(const Fields& fields, const Spec& spec, std::string_view where);

}  // namespace infoscissors::base
