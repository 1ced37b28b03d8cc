#pragma once

#include "infoscissors/mi/pairs.h"
#include "infoscissors/tensor/torch.h"

#include <cstdint>
#include <string>
#include <vector>

namespace infoscissors::mi {

/// Strictly increasing, piecewise linear maps of single columns that give each a normal distribution (normal scores).
/// Such a map is invertible, so it changes no information. Beyond the observed values it goes on with the mean slope of
/// the outer knots: that of the last two alone may be steep by chance, and one far value would then decide a whole
/// mean.
class NormalScores {
 public:
  NormalScores() = default;                           // the identity
  explicit NormalScores(const torch::Tensor& table);  // (N, D)
  torch::Tensor operator()(const torch::Tensor& table) const;

 private:
  struct Knots {
    torch::Tensor at, score;      // (K), ascending
    double below = 0, above = 0;  // slopes beyond the ends
  };
  std::vector<Knots> columns_;
};

/// Invertible coordinates in which both variables are white and x's d-th coordinate is correlated with y's d-th only
/// (canonical correlation analysis). For jointly Gaussian variables p(v|u) factorises in them with mean rho_d u_d and
/// variance 1 - rho_d^2, so every method starts from the Gaussian solution and learns the rest.
/// Directions without variance are dropped. Beyond kLargest columns, or with fewer than two pairs a column, the columns
/// are only standardised, and `correlations` is zero.
struct Coordinates {
  static constexpr std::int64_t kLargest = 1024;

  NormalScores x_scores, y_scores;
  torch::Tensor x_mean, x_map;  // u = (scores(x) - x_mean) x_map; (Dx), (Dx, p)
  torch::Tensor y_mean, y_map;  // v likewise; (Dy), (Dy, q)
  torch::Tensor correlations;   // rho_d in [0, 1), (min(p, q)), measured on the validation pairs; shrunk for labels
  bool scores = false;
  bool canonical = false;

  torch::Tensor u(const torch::Tensor& x) const;  // (N, Dx) -> (N, p)
  torch::Tensor v(const torch::Tensor& y) const;  // (N, Dy) -> (N, q)
};

/// rho^2 stays below this: beyond, a Gaussian's information per direction is not measured but assumed.
constexpr double kLargestSquaredCorrelation = 1 - 1e-4;

/// `transform`: "standard", "scores" (normal scores first; only x's for labels), or "auto": the one whose Gaussian
/// critic gives the larger InfoNCE bound on the validation pairs.
Coordinates fit_coordinates(const Pairs& train, const Pairs& validation, const std::string& transform);

}  // namespace infoscissors::mi
