#include "infoscissors/tune/space.h"

#include "infoscissors/base/error.h"
#include "infoscissors/base/spec.h"
#include "infoscissors/defense/defense.h"
#include "infoscissors/study/labels.h"

#include <algorithm>
#include <charconv>
#include <numeric>
#include <optional>
#include <random>

namespace infoscissors::tune {
namespace {

using base::UsageError;

constexpr double kFactors[] = {0.25, 0.5, 1, 2, 4};

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  for (auto end = text.find(separator); end != std::string::npos; end = text.find(separator, begin)) {
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  parts.push_back(text.substr(begin));
  return parts;
}

/// A text cut into what stands as it is (one alternative) and what varies.
std::vector<std::vector<std::string>> pieces_of(const std::string& text) {
  std::vector<std::vector<std::string>> pieces;
  std::size_t at = 0;
  while (at < text.size()) {
    const auto open = text.find('{', at);
    const auto plain = text.substr(at, open - at);
    if (plain.find('}') != std::string::npos) throw UsageError("'{}': there is a }} without its {{", text);
    pieces.push_back({plain});
    if (open == std::string::npos) break;
    const auto close = text.find_first_of("{}", open + 1);
    if (close == std::string::npos || text[close] == '{') throw UsageError("'{}': there is a {{ without its }}", text);
    pieces.push_back(split(text.substr(open + 1, close - open - 1), '|'));
    at = close + 1;
  }
  return pieces;
}

std::optional<double> number(const std::string& text) {
  double value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// Whether a sweep of the method can be one over this option.
bool is_strength(const std::string& method, const std::string& option) {
  const auto options = study::strength_options(method);
  return std::find(options.begin(), options.end(), option) != options.end();
}

bool in_range(const std::string& defense) {
  try {
    defense::make_defense(defense);
    return true;
  } catch (const UsageError&) {
    return false;
  }
}

/// "0.1" as "{0.025|0.05|0.1|0.2|0.4}"; six digits, so that 0.1 * 2 is 0.2.
std::string alternatives_around(double value) {
  std::vector<std::string> texts;
  for (const double factor : kFactors) texts.push_back(fmt::format("{:.6g}", factor * value));
  return fmt::format("{{{}}}", fmt::join(texts, "|"));
}

}  // namespace

std::vector<std::string> expand_alternatives(const std::string& text) {
  std::vector<std::string> texts = {""};
  for (const auto& piece : pieces_of(text)) {
    if (texts.size() * piece.size() > kMostSettings) {
      throw UsageError("'{}' stands for more than {} settings", text, kMostSettings);
    }
    std::vector<std::string> longer;
    for (const auto& begin : texts) {
      for (const auto& alternative : piece) {
        if (alternative.empty() && piece.size() > 1) throw UsageError("'{}': an alternative is empty", text);
        longer.push_back(begin + alternative);
      }
    }
    texts = std::move(longer);
  }
  return texts;
}

std::vector<std::string> settings_around(const std::string& defense) {
  std::string space;
  bool varies = false;
  for (const auto& spec : base::parse_specs(defense)) {
    std::vector<std::string> options;
    for (const auto& [key, value] : spec.options) {
      const auto strength = is_strength(spec.name, key) ? number(value) : std::nullopt;
      const bool moves = strength && *strength > 0;
      varies = varies || moves;
      options.push_back(fmt::format("{}={}", key, moves ? alternatives_around(*strength) : value));
    }
    space += (space.empty() ? "" : "+") + spec.name;
    if (!options.empty()) space += fmt::format("({})", fmt::join(options, ","));
  }
  if (!varies) {
    throw UsageError(
        "defence '{}' sets no strength to search around; name the settings, e.g. --space 'mid(beta={{1e-4|1e-3}})'",
        defense);
  }
  auto settings = expand_alternatives(space);
  std::erase_if(settings, [](const std::string& setting) { return !in_range(setting); });
  return settings;
}

std::vector<std::string> canonical_settings(const std::vector<std::string>& settings) {
  std::vector<std::string> canonical;
  for (const auto& setting : settings) {
    const auto spec = defense::canonical_defense(setting);
    if (std::find(canonical.begin(), canonical.end(), spec) == canonical.end()) canonical.push_back(spec);
  }
  return canonical;
}

std::vector<std::string> draw(std::vector<std::string> settings, std::int64_t count, std::uint64_t seed) {
  const auto wanted = static_cast<std::size_t>(count);
  if (settings.size() <= wanted) return settings;
  std::vector<std::size_t> places(settings.size());
  std::iota(places.begin(), places.end(), 0);
  std::mt19937_64 random(seed);
  for (std::size_t i = 0; i < wanted; ++i) std::swap(places[i], places[i + random() % (places.size() - i)]);
  places.resize(wanted);
  std::sort(places.begin(), places.end());
  std::vector<std::string> drawn;
  for (const auto place : places) drawn.push_back(std::move(settings[place]));
  return drawn;
}

}  // namespace infoscissors::tune
