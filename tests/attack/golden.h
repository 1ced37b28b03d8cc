#pragma once

#include "infoscissors/base/json.h"
#include "infoscissors/tensor/torch.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace infoscissors::attack {

/// One of the files that golden.py writes.
inline base::Json golden(const std::string& name) {
  return base::read_json(std::filesystem::path(INFOSCISSORS_TEST_DATA) / name);
}

inline torch::Tensor golden_tensor(const base::Json& entry) {
  return torch::tensor(entry.at("values").get<std::vector<double>>(), torch::kFloat64)
      .to(torch::kFloat32)
      .view(entry.at("shape").get<std::vector<std::int64_t>>());
}

}  // namespace infoscissors::attack
