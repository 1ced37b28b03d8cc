#pragma once

#include "infoscissors/tensor/torch.h"

#include <cstdint>

namespace infoscissors::data {

/// A permutation of 0 .. count-1 as (count) int64. Of its own making rather than libtorch's, so that recorded split
/// hashes hold for every version of libtorch and every standard library.
torch::Tensor permutation(std::int64_t count, std::uint64_t seed);

}  // namespace infoscissors::data
