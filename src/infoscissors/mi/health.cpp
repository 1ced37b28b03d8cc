#include "infoscissors/mi/health.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace infoscissors::mi {
namespace {

struct Finding {
  bool raised;
  const char* name;
  std::string text;
};

std::vector<Finding> findings(const Health& h) {
  return {
      {h.not_finite, "not_finite", "the estimate is not finite"},
      {h.negative, "negative",
       fmt::format("the estimate is negative ({:.4g} nats): q does not fit, or there is no information", h.value)},
      {h.saturated, "saturated", "a likelihood is saturated: q is certain where it should not be"},
      {h.ceiling, "ceiling",
       fmt::format("the estimate ({:.4g} nats) is at or near its ceiling of {:.4g} nats", h.value, h.ceiling_value)},
      {h.unconverged, "unconverged", "fitting stopped while the validation objective still improved: raise epochs"},
      {h.overfitted, "overfitted",
       fmt::format("the likelihood falls from fitted to held-out pairs; about {:.4g} nats are missing", h.missing)},
      {h.small_sample, "small_sample", fmt::format("{} pairs are few for {} dimensions", h.pairs, h.dimension)},
      {h.duplicates, "duplicates",
       fmt::format("{:.1f} % of the held-out pairs also occur among the fitted ones", 100 * h.duplicate_share)},
      {h.constant, "constant", fmt::format("{} constant or redundant column(s) were left out", h.constant_columns)},
      {h.indistinguishable, "indistinguishable",
       fmt::format("a permutation test does not tell it from no information (p = {:.3g})", h.p_value.value_or(1))},
      {h.unreliable_variance, "unreliable_variance",
       "single pairs dominate an exponential average: the interval is too narrow"},
  };
}

}  // namespace

bool Health::fine() const {
  return flags().empty();
}

std::vector<std::string> Health::warnings(std::string_view what) const {
  std::vector<std::string> lines;
  for (const auto& finding : findings(*this)) {
    if (finding.raised) lines.push_back(fmt::format("{}: {}", what, finding.text));
  }
  return lines;
}

std::vector<std::string> Health::flags() const {
  std::vector<std::string> names;
  for (const auto& finding : findings(*this)) {
    if (finding.raised) names.emplace_back(finding.name);
  }
  return names;
}

Health training_health(double estimate, double log_q_positive, double log_q_negative, double ceiling) {
  Health health;
  health.value = estimate;
  health.ceiling_value = ceiling;
  health.not_finite = !std::isfinite(estimate) || !std::isfinite(log_q_positive) || !std::isfinite(log_q_negative);
  health.negative = estimate < 0;
  health.ceiling = estimate >= ceiling;
  health.saturated = std::min(log_q_positive, log_q_negative) < -kSaturation;
  return health;
}

}  // namespace infoscissors::mi
