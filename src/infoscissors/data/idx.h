#pragma once

#include "infoscissors/tensor/torch.h"

#include <cstdint>
#include <filesystem>
#include <vector>

namespace infoscissors::data {

/// Reads `path` or, where that does not exist, `path`.gz: an IDX file of unsigned bytes with `item.size()` + 1
/// dimensions, of which all but the first must equal `item`. At most `limit` items; sizes are checked before anything
/// is allocated. Returns (N, item...) uint8. Throws Error naming the file.
torch::Tensor read_idx(const std::filesystem::path& path, const std::vector<std::int64_t>& item, std::int64_t limit);

}  // namespace infoscissors::data
