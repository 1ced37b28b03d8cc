#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace infoscissors::mi {

/// What is suspicious about an estimate of information. A number without its Health should not be believed.
struct Health {
  bool not_finite = false;    // NaN or infinite
  bool negative = false;      // below zero, which no information is
  bool saturated = false;     // a likelihood or log-variance at the end of its range
  bool ceiling = false;       // near (or above) the most that the estimator can report or the variables can share
  bool unconverged = false;   // the validation objective was still improving when fitting stopped
  bool overfitted = false;    // the likelihood falls by more than a tenth of the estimate from fitted to held-out pairs
  bool small_sample = false;  // too few pairs for the dimension
  bool duplicates = false;    // held-out pairs that also occur among the fitted ones
  bool constant = false;      // columns without variation, left out
  bool indistinguishable = false;    // the permutation test does not reject "no information"
  bool unreliable_variance = false;  // exponential averages dominated by single pairs

  double value = 0;                                                // the estimate, nats
  double ceiling_value = std::numeric_limits<double>::infinity();  // nats
  double missing = 0;      // nats; estimate of what misfit of q takes from the likelihood, see Estimate
  std::int64_t pairs = 0;  // fitted pairs
  std::int64_t dimension = 0;
  double duplicate_share = 0;
  std::int64_t constant_columns = 0;
  std::optional<double> p_value;  // of the permutation test, where one was made

  bool fine() const;

  /// One line for each flag that is raised; `what` names the quantity: "I(r; x)".
  std::vector<std::string> warnings(std::string_view what) const;

  /// The names of the raised flags, in declaration order: {"negative"}.
  std::vector<std::string> flags() const;
};

/// The health of a vCLUB-S term in training, from an epoch's means. `estimate` in nats (or nats per element, as
/// gaussian_log_likelihood gives); `ceiling`: what the information cannot exceed, H(y) <= ln K for labels, infinity
/// where nothing is known. Saturated: a mean log-likelihood below -kSaturation, i.e. an adversary that is certain and
/// wrong; its gradient then says little and the main network can push it on without end.
Health training_health(double estimate, double log_q_positive, double log_q_negative,
                       double ceiling = std::numeric_limits<double>::infinity());

/// exp(-30) is below the resolution of a float32 softmax.
constexpr double kSaturation = 30.0;

}  // namespace infoscissors::mi
