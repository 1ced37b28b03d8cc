#pragma once

#include "infoscissors/stats/bootstrap.h"

#include <span>
#include <vector>

namespace infoscissors::stats {

/// One setting of a defence: how useful the network stays (more is better) and what leaks (less is better).
struct Tradeoff {
  double utility = 0;
  double leakage = 0;
};

/// Indices of the points that no other beats: none has at least the utility and at most the leakage and is better in
/// one of them. Of equal points the first. Ordered by leakage. Points that are not finite are passed over.
std::vector<std::size_t> pareto_front(std::span<const Tradeoff> points);

/// The area that the points dominate within the rectangle spanned by `reference`, the worst that still counts (least
/// utility, most leakage), and the ideal (utility 1, leakage 0), as a share of that rectangle: 0 to 1, more is better.
/// Points beyond the reference add nothing, points beyond the ideal count as on it. Throws Error for a reference that
/// spans no rectangle.
double hypervolume(std::span<const Tradeoff> points, const Tradeoff& reference);

/// The hypervolume of mean points with an interval.
struct Hypervolume {
  double value = 0;
  Range range;
};

/// `repetitions[s]` holds one seed's points, the same settings in the same order in each; settings are averaged over
/// the seeds (what is NaN is left out) and the interval resamples whole seeds. Throws Error for no repetitions or
/// repetitions of different length.
Hypervolume mean_hypervolume(const std::vector<std::vector<Tradeoff>>& repetitions, const Tradeoff& reference,
                             const Bootstrap& bootstrap);

}  // namespace infoscissors::stats
