#pragma once

#include <cstdint>

/// Differential privacy of additive noise. An (epsilon, delta) pair is an upper bound of what one release tells of
/// which of two inputs it was made from: P[A(x) in S] <= exp(epsilon) P[A(x') in S] + delta for every S.
namespace infoscissors::defense {

/// The scale b of Laplace noise for (epsilon, 0): sensitivity / epsilon, with the sensitivity in the L1 norm (Dwork et
/// al. 2006).
double laplace_scale(double epsilon, double sensitivity);

/// The least delta for which Gaussian noise of this deviation is (epsilon, delta): Phi(D/2s - e s/D) -
/// exp(e) Phi(-D/2s - e s/D), exact for every epsilon >= 0 (Balle and Wang 2018, theorem 8). Sensitivity D in the L2
/// norm.
double gaussian_delta(double epsilon, double deviation, double sensitivity);

/// The least deviation for (epsilon, delta), and the least epsilon at a deviation: both invert gaussian_delta.
double gaussian_deviation(double epsilon, double delta, double sensitivity);
double gaussian_epsilon(double deviation, double delta, double sensitivity);

struct Guarantee {
  double epsilon = 0;
  double delta = 0;
};

/// Of `queries` releases of one input together. Laplace: the better of simple composition, (q epsilon, 0), and advanced
/// composition at `delta` (Dwork and Roth 2014, theorems 3.14 and 3.20). Gaussian: exact, since q releases are one with
/// sqrt(q) times the sensitivity.
Guarantee compose_laplace(double epsilon, double delta, std::int64_t queries);
Guarantee compose_gaussian(double deviation, double delta, double sensitivity, std::int64_t queries);

}  // namespace infoscissors::defense
