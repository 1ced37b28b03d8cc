#include "infoscissors/mi/certificate.h"

#include "infoscissors/base/error.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace infoscissors::mi {
namespace {

using base::UsageError;

constexpr const char* kFano =
    "information is an upper bound of I(v; y), which holds for a fitted q only as far as q fits";
constexpr const char* kDivergence =
    "the variational bound is one, and the divergence between the true conditional and q is not larger than stated; it "
    "cannot be computed";

void check_information(double information) {
  if (!std::isfinite(information))
    throw UsageError("[mi] information must be a finite number of nats, got {}", information);
}

void check_entropy(double entropy, std::int64_t classes, std::int64_t fewest) {
  if (classes < fewest) throw UsageError("[mi] classes must be >= {}, got {}", fewest, classes);
  const double most = std::log(static_cast<double>(classes));
  if (!(entropy >= 0 && entropy <= most * (1 + 1e-9))) {
    throw UsageError("[mi] the entropy of {} classes lies in [0, {:.4g}] nats, got {}", classes, most, entropy);
  }
}

void check_elements(std::int64_t elements) {
  if (elements < 1) throw UsageError("[mi] elements must be >= 1, got {}", elements);
}

double binary_entropy(double e) {
  return e <= 0 || e >= 1 ? 0.0 : -e * std::log(e) - (1 - e) * std::log1p(-e);
}

}  // namespace

Certificate fano_accuracy(double entropy, double information, std::int64_t classes) {
  check_information(information);
  check_entropy(entropy, classes, 3);
  const double error =
      (entropy - std::max(information, 0.0) - std::numbers::ln2) / std::log(static_cast<double>(classes - 1));
  return {.value = std::min(1.0, 1.0 - error),
          .vacuous = error <= 0,
          .quantity = "attack accuracy, at most",
          .unit = "share",
          .assumption = kFano,
          .source = "Fano 1961; Cover and Thomas, theorem 2.10.1"};
}

Certificate fano_accuracy_exact(double entropy, double information, std::int64_t classes) {
  check_information(information);
  check_entropy(entropy, classes, 2);
  const double needed = entropy - std::max(information, 0.0);
  const double spread = std::log(static_cast<double>(classes - 1));
  // H_b(e) + e ln(K - 1) rises from 0 at e = 0 to ln K at e = 1 - 1/K.
  double low = 0;
  double high = 1 - 1 / static_cast<double>(classes);
  for (int i = 0; i < 100; ++i) {
    const double middle = 0.5 * (low + high);
    (binary_entropy(middle) + middle * spread < needed ? low : high) = middle;
  }
  const double error = needed <= 0 ? 0.0 : high;
  return {.value = 1 - error,
          .vacuous = needed <= 0,
          .quantity = "attack accuracy, at most",
          .unit = "share",
          .assumption = kFano,
          .source = "Cover and Thomas, theorem 2.10.1"};
}

Certificate cross_entropy_floor(double random, double information, double divergence) {
  check_information(information);
  if (!(divergence >= 0)) throw UsageError("[mi] a divergence is >= 0, got {}", divergence);
  const double floor = random - (std::max(information, 0.0) + divergence);
  return {.value = std::max(0.0, floor),
          .vacuous = floor <= 0,
          .quantity = "an attacker's mean cross-entropy, at least",
          .unit = "nats",
          .assumption = kDivergence,
          .source = "Duan et al., NeurIPS 2024, section 4.3"};
}

Certificate squared_error_floor(double kappa, double information, double divergence, std::int64_t elements) {
  check_information(information);
  check_elements(elements);
  if (!(divergence >= 0)) throw UsageError("[mi] a divergence is >= 0, got {}", divergence);
  const double floor = 2 * (kappa - (std::max(information, 0.0) + divergence)) / static_cast<double>(elements);
  return {.value = std::max(0.0, floor),
          .vacuous = floor <= 0,
          .quantity = "mean squared error of a reconstruction, at least",
          .unit = "squared units of x, per element",
          .assumption = fmt::format("x given r is Gaussian with identity covariance; {}", kDivergence),
          .source = "Duan et al., NeurIPS 2024, section 4.3"};
}

Certificate entropy_power_floor(double conditional_entropy, std::int64_t elements) {
  check_elements(elements);
  if (!std::isfinite(conditional_entropy))
    throw UsageError("[mi] the entropy must be a finite number of nats, got {}", conditional_entropy);
  const double floor =
      std::exp(2 * conditional_entropy / static_cast<double>(elements)) / (2 * std::numbers::pi * std::numbers::e);
  return {.value = floor,
          .vacuous = false,
          .quantity = "mean squared error of a reconstruction, at least",
          .unit = "squared units of x, per element",
          .assumption = "the entropy that goes in is not above h(x|r), and x has a density",
          .source = "Xia et al., CVPR 2025; Cover and Thomas, theorem 8.6.6"};
}

Certificate along_directions(Certificate floor, double variance, std::int64_t directions, std::int64_t elements) {
  check_elements(directions);
  if (directions > elements) throw UsageError("[mi] {} directions of {} elements", directions, elements);
  if (!(variance >= 0)) throw UsageError("[mi] a variance is >= 0, got {}", variance);
  floor.value *= variance * static_cast<double>(directions) / static_cast<double>(elements);
  return floor;
}

}  // namespace infoscissors::mi
