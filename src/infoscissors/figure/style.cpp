#include "infoscissors/base/hash.h"
#include "infoscissors/figure/plot.h"

#include <array>
#include <map>

namespace infoscissors::figure {

// Okabe and Ito's colours, and of Tol's muted ones where they do not suffice: both were chosen to stay apart for the
// colour-blind. Marker and dashes repeat what the colour says, for print without colour.
Style style_of(const std::string& family) {
  static const std::map<std::string, Style> kStyles = {
      {"none", {"#000000", 3, "solid", 1.6}},          {"infoscissors", {"#0072B2", 7, "solid", 2.4}},
      {"an", {"#E69F00", 5, "(10,4)", 1.6}},           {"an-adv", {"#AA7700", 4, "(10,4,2,4)", 1.6}},
      {"cem", {"#882255", 15, "(6,3)", 1.6}},          {"dc", {"#CC79A7", 13, "(2,3)", 1.6}},
      {"dp", {"#D55E00", 9, "(6,3,2,3)", 1.6}},        {"dropout", {"#44AA99", 8, "(14,4)", 1.6}},
      {"mid", {"#56B4E9", 6, "(4,2)", 1.6}},           {"nopeek", {"#777777", 12, "(10,3,2,3,2,3)", 1.6}},
      {"ppdl", {"#009E73", 10, "(8,2,8,2,2,2)", 1.6}}, {"ridge", {"#117733", 2, "(5,5)", 1.6}},
      {"shredder", {"#332288", 14, "(3,6)", 1.6}},
  };
  if (const auto found = kStyles.find(family); found != kStyles.end()) return found->second;
  static const std::array<Style, 4> kOthers = {Style{"#999933", 11, "(12,2)", 1.6}, Style{"#999999", 2, "(4,6)", 1.6},
                                               Style{"#AA4499", 1, "(2,2,8,2)", 1.6},
                                               Style{"#661100", 4, "(16,4)", 1.6}};
  return kOthers[base::hash64(family) % kOthers.size()];
}

}  // namespace infoscissors::figure
