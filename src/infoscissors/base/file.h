#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <iosfwd>
#include <string>
#include <string_view>

namespace infoscissors::base {

/// The whole file. Throws Error naming the file and the system's reason.
std::string read_file(const std::filesystem::path& path);

/// Writes `content` to a temporary name in the same directory, flushes it to the disk and renames it: a reader, or a
/// machine that loses power, sees the old file or the new one. Throws Error (and removes the temporary file) when the
/// disk is full or the directory cannot be written.
void write_file(const std::filesystem::path& path, std::string_view content);

/// The same for content that is produced piece by piece.
void write_file(const std::filesystem::path& path, const std::function<void(std::ostream&)>& produce);

/// Creates the directory and its parents, and checks that a file can be written there. Throws Error.
void ensure_directory(const std::filesystem::path& path);

}  // namespace infoscissors::base
