#pragma once

#include "infoscissors/experiment/held_out.h"
#include "infoscissors/experiment/workbench.h"
#include "infoscissors/results/certificates.h"

#include <cstdint>
#include <memory>
#include <string>

namespace infoscissors::experiment {

struct CertifyOptions {
  std::string estimator = "l1out";             // upper bound of I(v; y) behind Fano's inequality
  std::string generator = "ka(decoder=conv)";  // attack whose decoder is the generator g of q(x|r) = N(g(r), s^2 I)
  std::int64_t images = 4000;                  // held-out images
  double held_out = 0.5;                       // share of them that is estimated on
  std::uint64_t seed = 0;
};

/// What held-out estimates of the information on the wire let one say of every attacker, as far as each statement's
/// assumption holds. Prediction: Fano's ceiling on accuracy (Cover and Thomas, theorem 2.10.1) and the cross-entropy
/// floor of Duan et al. 2024, section 4.3. Input: the squared-error floor of the same section and the entropy-power
/// floor of Xia et al., CVPR 2025. Intervals are taken at their conservative end. Everything is fitted to one part of
/// the held-out images and estimated on another; the generator is an attack of the defender's own, trained on the
/// fitted part. Throws UsageError for an estimator that bounds nothing from above and for an attack that is no
/// black-box reconstruction. `config_hash`: of the run they belong to.
results::Certificates certify(const std::shared_ptr<Workbench>& bench, const std::string& config_hash,
                              const CertifyOptions& options);

/// Throws what certify() would for these options, before any work.
void validate(const CertifyOptions& options);

}  // namespace infoscissors::experiment
