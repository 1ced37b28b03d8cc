#pragma once

#include "infoscissors/mi/pairs.h"
#include "infoscissors/tensor/device.h"

#include "infoscissors/tensor/torch.h"

#include <cmath>

namespace infoscissors::mi::testing_channels {

struct Gaussians {
  torch::Tensor x, y;
  double information;
};

/// n pairs in d dimensions, each coordinate of y correlated with that of x so that I(x; y) = `nats`; each side is then
/// turned by a random rotation, which hides the coordinates and leaves the information.
inline Gaussians gaussians(std::int64_t n, std::int64_t d, double nats, std::uint64_t seed, bool cubic = false) {
  auto random = tensor::make_generator(torch::kCPU, seed, "channel");
  const double rho = std::sqrt(1 - std::exp(-2 * nats / static_cast<double>(d)));
  const auto x = torch::randn({n, d}, random);
  const auto y = rho * x + std::sqrt(1 - rho * rho) * torch::randn({n, d}, random);
  if (cubic) return {x, y.pow(3), nats};
  const auto turn = [&] { return std::get<0>(torch::linalg_qr(torch::randn({d, d}, random))); };
  return {x.matmul(turn()), y.matmul(turn()), nats};
}

struct Labels {
  torch::Tensor x, y;
  double information;
};

/// A K-ary symmetric channel: the label, uniform, is seen one-hot with probability 1 - e, else as another class.
inline Labels symmetric_channel(std::int64_t n, std::int64_t classes, double e, std::uint64_t seed) {
  auto random = tensor::make_generator(torch::kCPU, seed, "channel");
  const auto y = torch::randint(classes, {n}, random, torch::kInt64);
  const auto wrong = torch::rand({n}, random) < e;
  const auto shift = 1 + torch::randint(classes - 1, {n}, random, torch::kInt64);
  const auto seen = torch::where(wrong, (y + shift).remainder(classes), y);
  const auto k = static_cast<double>(classes);
  const double information = std::log(k) + e * std::log(e / (k - 1)) + (1 - e) * std::log(1 - e);
  return {torch::one_hot(seen, classes).to(torch::kFloat32), y, information};
}

}  // namespace infoscissors::mi::testing_channels
