#pragma once

#include <cstdint>
#include <string>
#include <vector>

/// Searching a defence's options: what there is to search.
namespace infoscissors::tune {

/// Every text that alternatives in braces stand for, the first varying slowest: `mid(beta={1e-3|1e-2})` stands for two,
/// `infoscissors(input={0.1|0.2},psi_steps={1|2})` for four. Throws UsageError for braces that do not match, an empty
/// alternative and more than kMostSettings texts.
std::vector<std::string> expand_alternatives(const std::string& text);
inline constexpr std::size_t kMostSettings = 10000;

/// The settings around a defence: each strength that it sets times 1/4, 1/2, 1, 2 and 4, as far as that is in range.
/// Throws UsageError for a defence that sets none ("none", "dc").
std::vector<std::string> settings_around(const std::string& defense);

/// Canonical specs without repetition, in their order. Throws UsageError for one that is no defence.
std::vector<std::string> canonical_settings(const std::vector<std::string>& settings);

/// At most `count` of them, drawn without replacement and left in their order.
std::vector<std::string> draw(std::vector<std::string> settings, std::int64_t count, std::uint64_t seed);

}  // namespace infoscissors::tune
