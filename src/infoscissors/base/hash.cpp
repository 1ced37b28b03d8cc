#include "infoscissors/base/hash.h"

#include "infoscissors/base/random.h"

#include <fmt/format.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace infoscissors::base {

std::string content_hash(std::string_view bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

std::uint64_t hash64(std::string_view bytes, std::uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

std::uint64_t derive_seed(std::uint64_t seed, std::string_view stream, std::uint64_t index) {
  const std::uint64_t mixed = hash64(stream, seed);
  return hash64({reinterpret_cast<const char*>(&index), sizeof index}, mixed);
}

}  // namespace infoscissors::base
