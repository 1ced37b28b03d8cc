#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace infoscissors::sweep {

/// What a long table of results says is done: the attacks recorded of each run's hash.
using Finished = std::map<std::string, std::set<std::string>>;

/// Reads the columns `run` and `attack` of a CSV table (RFC 4180). Throws UsageError for a file without them or with a
/// row of another length.
Finished load_finished(const std::filesystem::path& table);

}  // namespace infoscissors::sweep
