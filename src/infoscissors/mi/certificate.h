#pragma once

#include <cstdint>
#include <string>

namespace infoscissors::mi {

/// What an estimate of information lets one say about every attacker. All of it is conditional: a certificate is as
/// good as the bound that goes in, and the sentence in `assumption` must be shown wherever the figure is.
struct Certificate {
  double value = 0;
  bool vacuous = false;  // it forbids nothing
  std::string quantity;  // "attack accuracy, at most"
  std::string unit;
  std::string assumption;
  std::string source;
};

/// The largest accuracy with which y can be guessed from v: 1 - (H(y) - I - ln 2) / ln(K - 1), not above 1. `entropy`:
/// H(y) in nats; `information`: an upper bound of I(v; y) in nats; K > 2 classes. Throws UsageError.
Certificate fano_accuracy(double entropy, double information, std::int64_t classes);

/// The same without replacing the binary entropy by ln 2: the largest accuracy 1 - e with H_b(e) + e ln(K - 1) >= H(y)
/// - I. Tighter, and defined for K = 2.
Certificate fano_accuracy_exact(double entropy, double information, std::int64_t classes);

/// The least mean cross-entropy, nats, of any attacker model of y given v: random - (information + divergence), not
/// below 0; a negative estimate of the information counts as 0, here and below. `random`: that of guessing without v;
/// `information`: I_vCLUB(v; y); `divergence`: KL(p(y|v) || h_phi(y|v)), which cannot be computed (a held-out estimate
/// is a lower bound of it).
Certificate cross_entropy_floor(double random, double information, double divergence);

/// The least mean squared error, per element, of any reconstruction of x from r: 2 (kappa - information - divergence) /
/// Q, not below 0. `kappa`: the entropy term of x under the unit-variance Gaussian, nats; `elements`: Q.
Certificate squared_error_floor(double kappa, double information, double divergence, std::int64_t elements);

/// The least mean squared error, per element, from the conditional entropy h(x|r) in nats: exp(2 h / Q) / (2 pi e).
Certificate entropy_power_floor(double conditional_entropy, std::int64_t elements);

/// A floor per direction on the squared error along `directions` orthonormal directions, in units of which one is
/// `variance` squared units of x, as a floor per element on all `elements` >= directions: the error along the other
/// directions is not below 0.
Certificate along_directions(Certificate floor, double variance, std::int64_t directions, std::int64_t elements);

}  // namespace infoscissors::mi
