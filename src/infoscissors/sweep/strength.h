#pragma once

#include <optional>
#include <string>
#include <string_view>

/// What a sweep moves of a defence. The one table of it; a test compares it with the registry.
namespace infoscissors::sweep {

/// The option that is a defence's strength ("scale" of an); empty for one without (none). Throws UsageError for a
/// defence that the table does not know.
std::string strength_option(std::string_view defense);

/// The defence at one strength: `{}` in the template replaced by the number, or, in a template of a single method
/// without `{}`, its strength option set. `where` prefixes errors. Throws UsageError for a defence without strength and
/// for a template that sets the option itself.
std::string with_strength(const std::string& text, double strength, const std::string& where);

/// The strength that a spec of a single method names itself: 0.3 for an(scale=0.3).
std::optional<double> strength_of(const std::string& spec);

/// The option that `{}` or the table stands for: "input" of infoscissors(input={},guard=0.7); empty where there is
/// none.
std::string varied_option(const std::string& text);

/// The methods of a spec without their options: "an+dp".
std::string family_of(const std::string& spec);

}  // namespace infoscissors::sweep
