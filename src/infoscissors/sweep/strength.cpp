#include "infoscissors/sweep/strength.h"

#include "infoscissors/base/error.h"
#include "infoscissors/base/spec.h"

#include <array>
#include <charconv>

namespace infoscissors::sweep {
namespace {

using base::UsageError;

constexpr std::string_view kHole = "{}";

struct Strength {
  std::string_view defense, option;
};

constexpr std::array kStrengths = {
    Strength{"an", "scale"},           Strength{"an-adv", "epsilon"}, Strength{"cem", "weight"},
    Strength{"dc", "share"},           Strength{"dp", "epsilon"},     Strength{"dropout", "probability"},
    Strength{"infoscissors", "input"}, Strength{"mid", "beta"},       Strength{"none", ""},
    Strength{"nopeek", "weight"},      Strength{"ppdl", "share"},     Strength{"shredder", "weight"},
};

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

std::string strength_option(std::string_view defense) {
  for (const auto& entry : kStrengths) {
    if (entry.defense == defense) return std::string(entry.option);
  }
  throw UsageError("no strength is known of the defence '{}': write {{}} in its spec where the number goes", defense);
}

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
  const auto option = strength_option(spec.name);
  if (option.empty()) throw UsageError("{}: '{}' has no strength; leave strengths out", where, spec.name);
  for (const auto& [key, value] : spec.options) {
    if (key != option) continue;
    throw UsageError("{}: strengths are values of {}, which the spec sets to {} itself; leave one of them out", where,
                     option, value);
  }
  spec.options.emplace_back(option, number(strength));
  return print(spec);
}

std::optional<double> strength_of(const std::string& text) {
  const auto specs = base::parse_specs(text);
  if (specs.size() != 1) return {};
  const auto option = varied_option(text);
  for (const auto& [key, value] : specs.front().options) {
    double parsed = 0;
    const auto [end, code] = std::from_chars(value.data(), value.data() + value.size(), parsed);
    if (key == option && code == std::errc() && end == value.data() + value.size()) return parsed;
  }
  return {};
}

std::string varied_option(const std::string& text) {
  const auto specs = base::parse_specs(text);
  for (const auto& spec : specs) {
    for (const auto& [key, value] : spec.options) {
      if (value == kHole) return key;
    }
  }
  if (specs.size() != 1) return {};
  for (const auto& entry : kStrengths) {
    if (entry.defense == specs.front().name) return std::string(entry.option);
  }
  return {};
}

std::string family_of(const std::string& text) {
  std::string names;
  for (const auto& spec : base::parse_specs(text)) names += (names.empty() ? "" : "+") + spec.name;
  return names.empty() ? "none" : names;
}

}  // namespace infoscissors::sweep
