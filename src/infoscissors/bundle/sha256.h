#pragma once

#include <string>
#include <string_view>

namespace infoscissors::bundle {

/// SHA-256 of the bytes as 64 lower-case hexadecimal digits. Throws Error in a build without OpenSSL.
std::string sha256(std::string_view bytes);

}  // namespace infoscissors::bundle
