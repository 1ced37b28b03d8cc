#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace infoscissors::base {

/// 128-bit XXH3 of the bytes as 32 hexadecimal digits: names content (configurations, index sets, files); it does not
/// protect against someone who wants a collision.
std::string content_hash(std::string_view bytes);

/// 64-bit XXH3 with a seed.
std::uint64_t hash64(std::string_view bytes, std::uint64_t seed = 0);

}  // namespace infoscissors::base
