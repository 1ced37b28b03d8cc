#pragma once

#include "infoscissors/tensor/torch.h"

#include <string>

namespace infoscissors::data {

/// One array as NumPy stores it. `place`: "FILE.npy", or "FILE.npz:NAME" for one array of an archive (np.savez,
/// np.savez_compressed), where ":NAME" may be left out if it holds one only. Throws Error naming the file and what is
/// wrong, for a name that is not in the archive with those that are.
torch::Tensor load_array(const std::string& place);

}  // namespace infoscissors::data
