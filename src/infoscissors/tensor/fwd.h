#pragma once

/// Forward declarations, so that an interface need not include libtorch.
namespace at {
class Tensor;
struct Generator;
}  // namespace at

namespace infoscissors {
using Tensor = at::Tensor;
using Generator = at::Generator;
}  // namespace infoscissors
