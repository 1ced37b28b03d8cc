#pragma once

#include "infoscissors/tensor/torch.h"

#include <map>
#include <string>

namespace infoscissors::defense {

/// Copies what is stored into the tensors of a defence's state. Throws Error naming `defense` and the first tensor that
/// is missing or of another shape, before any is changed.
void load_into(const std::map<std::string, torch::Tensor>& own, const std::map<std::string, torch::Tensor>& stored,
               const std::string& defense);

}  // namespace infoscissors::defense
