#pragma once

#include "infoscissors/attack/attack.h"

namespace infoscissors::attack {

/// The malicious optimiser's factor, coordinate by coordinate (Fu et al. 2022, section 4.2):
///     r = clamp(1 + g_now / (g_before + 1e-7), least, most)
/// with g the momentum buffer of the server's own parameters, g_before the unscaled one of the step before.
torch::Tensor malicious_factor(const torch::Tensor& now, const torch::Tensor& before, double least, double most);

}  // namespace infoscissors::attack
