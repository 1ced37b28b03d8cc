#pragma once

#include "infoscissors/device/device.h"
#include "infoscissors/wire/tensor.h"

#include "infoscissors/tensor/torch.h"

#include <string>
#include <vector>

namespace infoscissors::device {

/// A released representation, (N, ...) float32 contiguous, as it travels: one tensor, or three for int8. The tensors
/// own their bytes. Throws Error for values that are not finite or not so in fp16.
std::vector<wire::Tensor> encode(const torch::Tensor& representation, const std::string& name, Encoding encoding);

}  // namespace infoscissors::device
