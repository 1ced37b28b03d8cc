#pragma once

#include <nlohmann/json.hpp>

#include <filesystem>
#include <string>

namespace infoscissors::base {

/// Keys are kept sorted, so that equal documents print equally and can be hashed.
using Json = nlohmann::json;

/// The number, or null where it is not finite.
Json real(double value);

/// Parses a JSON file. Throws Error naming the file and the position of a syntax error.
Json read_json(const std::filesystem::path& path);

/// Writes atomically, indented by two spaces. NaN and infinities become null, bytes that are not UTF-8 the
/// replacement character.
void write_json(const std::filesystem::path& path, const Json& document);

/// Reads a TOML file as JSON. Dates are refused. Throws UsageError naming file, line and column of a syntax error.
Json read_toml(const std::filesystem::path& path);

/// Prints a JSON object as TOML (null is refused, for TOML has none).
std::string to_toml(const Json& document);

}  // namespace infoscissors::base
