#include "infoscissors/defense/site.h"

namespace infoscissors::defense {

base::Field site_field(std::string& site, bool gradient) {
  std::vector<std::string> choices = {"representation", "feature", "both"};
  if (gradient) choices.emplace_back(kGradient);
  return {"site", &site, base::one_of(std::move(choices)),
          gradient ? "r, v or both; or the gradient in v that leaves the device in training" : "r, v or both"};
}

bool covers(const std::string& chosen, Site site) {
  return chosen == "both" || chosen == to_string(site);
}

std::string to_string(Site site) {
  return site == Site::representation ? "representation" : "feature";
}

std::vector<Site> covered_sites(const std::string& chosen) {
  std::vector<Site> sites;
  for (const auto site : {Site::representation, Site::feature}) {
    if (covers(chosen, site)) sites.push_back(site);
  }
  return sites;
}

std::vector<std::string> claims_at(const std::string& chosen, const std::string& what) {
  std::vector<std::string> claims;
  for (const auto site : covered_sites(chosen)) claims.push_back(what + " at the " + to_string(site));
  return claims;
}

const nn::Shape& shape_at(const Context& context, Site site) {
  return site == Site::representation ? context.representation : context.feature;
}

}  // namespace infoscissors::defense
