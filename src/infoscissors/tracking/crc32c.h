#pragma once

#include <cstdint>
#include <string_view>

namespace infoscissors::tracking {

/// CRC-32C (Castagnoli; RFC 3720, appendix B.4).
std::uint32_t crc32c(std::string_view bytes);

/// As TFRecord files store it: rotated and shifted, so that the checksum of data that hold checksums stays one.
std::uint32_t masked_crc32c(std::string_view bytes);

}  // namespace infoscissors::tracking
