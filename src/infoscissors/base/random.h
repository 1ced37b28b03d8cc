#pragma once

#include <cstdint>
#include <string_view>

namespace infoscissors::base {

/// The seed of one stream of random numbers, derived from the run's one recorded seed, the stream's name and an index
/// (an epoch, a step, an attack). Streams do not depend on the order in which they are used, which is what makes a
/// resumed run equal to an uninterrupted one.
std::uint64_t derive_seed(std::uint64_t seed, std::string_view stream, std::uint64_t index = 0);

}  // namespace infoscissors::base
