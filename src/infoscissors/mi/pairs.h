#pragma once

#include "infoscissors/tensor/torch.h"

#include <cstdint>
#include <string>

namespace infoscissors::mi {

/// Paired samples (x_i, y_i), independent of one another. y is either numbers or class labels.
struct Pairs {
  torch::Tensor x;           // (N, Dx) float32, each column with mean 0 and variance 1 (0 where it is constant)
  torch::Tensor y;           // (N, Dy) float32, the same; one-hot columns for labels
  torch::Tensor labels;      // (N) int64 in [0, classes); undefined for numbers
  torch::Tensor y_scale;     // (Dy) standard deviations in y's own units; undefined for labels
  std::int64_t classes = 0;  // 0 for numbers

  std::int64_t size() const { return x.size(0); }
  bool labelled() const { return classes > 0; }
  Pairs select(const torch::Tensor& index) const;
  Pairs with_y_permuted(const torch::Tensor& index) const;
};

/// What the second variable is. `automatic`: a vector of integers (or booleans) is labels, all else numbers.
enum class Kind { automatic, numbers, labels };

/// Checks and standardises. x: (N, ...) numbers of any type, flattened; y: likewise, or labels (N). Labels are
/// renumbered from 0 in ascending order. Standardising is an invertible affine map of each column, so it changes no
/// information. Throws Error naming x or y (`x_name`, `y_name`) for fewer than kFewestPairs pairs, counts that differ,
/// a number that is not finite, a variable that is constant, one class only.
Pairs make_pairs(const torch::Tensor& x, const torch::Tensor& y, Kind kind = Kind::automatic,
                 const std::string& x_name = "x", const std::string& y_name = "y");

constexpr std::int64_t kFewestPairs = 20;

struct Split {
  Pairs fit, held_out;
};

/// A random split; `held_out`: the share that is not fitted, (0, 1). Both parts get at least kFewestPairs / 2 pairs, or
/// half of them where that is less.
Split split_pairs(const Pairs& pairs, double held_out, std::uint64_t seed);

/// The share of the held-out pairs that also occur, bit for bit, among the fitted ones.
double duplicate_share(const Pairs& fitted, const Pairs& held_out);

/// Columns of x and y without variation.
std::int64_t constant_columns(const Pairs& pairs);

/// Entropy of the labels' empirical distribution, nats (never above the true entropy in expectation).
double label_entropy(const Pairs& pairs);

}  // namespace infoscissors::mi
