#pragma once

#include <filesystem>
#include <string_view>

namespace infoscissors::pki {

/// As base::write_file, but the file is readable and writable by its owner alone from the moment it exists, whatever
/// the umask. Throws Error.
void write_private_file(const std::filesystem::path& path, std::string_view content);

}  // namespace infoscissors::pki
