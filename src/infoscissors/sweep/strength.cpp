#include "infoscissors/sweep/strength.h"

#include "infoscissors/base/error.h"
#include "infoscissors/base/spec.h"
#include "infoscissors/study/labels.h"

#include <string_view>

namespace infoscissors::sweep {
namespace {

using base::UsageError;

constexpr std::string_view kHole = "{}";

std::string number(double value) {
  return fmt::format("{}", value);
}

std::string print(const base::Spec& spec) {
  std::string options;
  for (const auto& [key, value] : spec.options)
    options += fmt::format("{}{}={}", options.empty() ? "" : ",", key, value);
  return options.empty() ? spec.name : fmt::format("{}({})", spec.name, options);
}

}  // namespace

std::string with_strength(const std::string& text, double strength, const std::string& where) {
  if (text.find(kHole) != std::string::npos) {
    std::string filled = text;
    for (auto at = filled.find(kHole); at != std::string::npos; at = filled.find(kHole)) {
      filled.replace(at, kHole.size(), number(strength));
    }
    return filled;
  }
  auto specs = base::parse_specs(text);
  if (specs.size() != 1) {
    throw UsageError("{}: strengths of '{}' need {{}} in the spec where the number goes", where, text);
  }
  auto& spec = specs.front();
  const auto option = study::strength_option(spec.name);
  if (option.empty()) throw UsageError("{}: '{}' has no strength; leave strengths out", where, spec.name);
  for (const auto& [key, value] : spec.options) {
    if (key != option) continue;
    throw UsageError("{}: strengths are values of {}, which the spec sets to {} itself; leave one of them out", where,
                     option, value);
  }
  spec.options.emplace_back(option, number(strength));
  return print(spec);
}

std::string varied_option(const std::string& text) {
  const auto specs = base::parse_specs(text);
  for (const auto& spec : specs) {
    for (const auto& [key, value] : spec.options) {
      if (value == kHole) return key;
    }
  }
  return specs.size() == 1 ? study::strength_option(specs.front().name) : std::string();
}

}  // namespace infoscissors::sweep
