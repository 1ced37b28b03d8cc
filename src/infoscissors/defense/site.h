#pragma once

#include "infoscissors/base/options.h"
#include "infoscissors/defense/defense.h"

#include <string>
#include <vector>

/// The option `site` that the defences share.
namespace infoscissors::defense {

inline constexpr const char* kGradient = "gradient";  // of the objective in v, which the device sends in training

/// representation, feature or both; `gradient` also where the method has it.
base::Field site_field(std::string& site, bool gradient = false);

/// Whether the chosen site includes this one. The gradient is none of the two.
bool covers(const std::string& chosen, Site site);

/// "representation" or "feature".
std::string to_string(Site site);

/// The sites that are covered, in the order in which data passes them.
std::vector<Site> covered_sites(const std::string& chosen);

/// "WHAT at the SITE" for each site that is covered.
std::vector<std::string> claims_at(const std::string& chosen, const std::string& what);

/// The sizes of one sample at a site.
const nn::Shape& shape_at(const Context& context, Site site);

}  // namespace infoscissors::defense
