#pragma once

#include <string>
#include <vector>

namespace infoscissors::tune {

/// The attackers of a named strength against a goal ("input", "prediction" or "both"): "paper" are of the families of
/// Duan et al. 2024, section 5; "strong" knows deeper decoders, ten times the queries, white-box search, whitened and
/// semi-supervised completion, neighbours and clusters, and attacks through the defence's randomness. Throws UsageError
/// for an unknown name.
std::vector<std::string> attackers(const std::string& strength, const std::string& goal);

}  // namespace infoscissors::tune
