#pragma once

#include <cstdint>
#include <vector>

namespace infoscissors::attack {

/// The one-to-one assignment of rows to columns with the lowest total cost (Kuhn 1955, Munkres 1957, by shortest
/// augmenting paths in O(rows^2 columns)): entry i is the column of row i. cost: rows of equal length, at least as many
/// columns as rows, finite.
std::vector<std::int64_t> assign_rows(const std::vector<std::vector<double>>& cost);

}  // namespace infoscissors::attack
