#pragma once

#include "infoscissors/tensor/torch.h"

#include <cstdint>

namespace infoscissors::mi {

/// Principal components, fitted to some rows and applied to others. A function of a variable has no more information
/// than the variable (data processing), so a lower bound for the components is one for the whole; an upper bound is one
/// for the components alone.
struct Components {
  torch::Tensor mean, directions;  // (D), (D, m) with orthonormal columns; undefined: the columns stay as they are
  std::int64_t columns = 0;        // D
  double explained = 1;            // share of the fitted rows' variance along the directions

  std::int64_t count() const { return directions.defined() ? directions.size(1) : columns; }
  torch::Tensor operator()(const torch::Tensor& table) const;  // (N, ...) of D elements each -> (N, m) float32
};

/// The `count` directions of largest variance, fewer where the rows have fewer; a table of at most `count` columns
/// stays as it is. rows: (n, ...), any range. `count` >= 1.
Components fit_components(const torch::Tensor& rows, std::int64_t count);

}  // namespace infoscissors::mi
