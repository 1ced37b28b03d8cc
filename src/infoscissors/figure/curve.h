#pragma once

#include "infoscissors/figure/figures.h"

#include <string>
#include <vector>

/// What the plots of a study share.
namespace infoscissors::figure {

/// The values of the seeds that both have, in the order of the seeds.
struct Paired {
  std::vector<double> x, y;
};
Paired paired(const study::BySeed& x, const study::BySeed& y);

/// Where a point's spread comes from.
enum class Spreads { bootstrap, range };

/// The mean point over the seeds, or nothing where they have no finite pair. Of one seed no spread is known.
bool add_point(Series& series, const study::BySeed& x, const study::BySeed& y, Spreads kind,
               const stats::Bootstrap& bootstrap);

/// Of several attacks the one that leaks most on this group; nullptr where none was run.
const study::Attack* worst(const study::Group& group, const std::vector<const study::Attack*>& attacks);

/// "fashion-mnist" where places differ by data set alone, else as much as tells them apart; empty for a single one.
std::string place_title(const study::Summary& summary, const study::Place& place);

/// A title from its parts, empty ones left out.
std::string joined(const std::string& a, const std::string& b);

/// Sentences of captions.
std::string bootstrap_text(const stats::Bootstrap& bootstrap);

/// An axis in per cent keeps the numbers readable: 100 times every value.
study::BySeed in_percent(study::BySeed values);

inline constexpr const char* kAccuracyAxis = "Accuracy of the device, %";
inline constexpr const char* kSsimAxis = "SSIM of the reconstruction (less is better)";
inline constexpr const char* kLabelsAxis = "Labels inferred, % (less is better)";

}  // namespace infoscissors::figure
