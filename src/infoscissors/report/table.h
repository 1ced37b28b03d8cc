#pragma once

#include "infoscissors/report/comparison.h"

#include <string>
#include <vector>

namespace infoscissors::report {

/// The comparison for a terminal: a line a run, aligned columns, a star behind the strongest attack of each kind, and
/// a legend below. Ends with a newline.
std::string render_table(const Comparison& comparison);
std::string render_table(const std::vector<RunDirectory>& runs);

}  // namespace infoscissors::report
