#pragma once

#include <string>

/// How a sweep moves a defence along its strength. Which option that is, study/labels.h knows.
namespace infoscissors::sweep {

/// The defence at one strength: `{}` in the template replaced by the number, or, in a template of a single method
/// without `{}`, its strength option set. `where` prefixes errors. Throws UsageError for a defence without strength and
/// for a template that sets the option itself.
std::string with_strength(const std::string& text, double strength, const std::string& where);

/// The option that `{}` or the strength stands for: "input" of infoscissors(input={},guard=0.7); empty where there is
/// none.
std::string varied_option(const std::string& text);

}  // namespace infoscissors::sweep
