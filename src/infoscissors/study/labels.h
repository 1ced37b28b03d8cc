#pragma once

#include "infoscissors/base/json.h"
#include "infoscissors/results/record.h"

#include <cstdint>
#include <string>
#include <vector>

namespace infoscissors::study {

/// What a run is called in tables and figures.
struct Labels {
  std::string dataset, backbone, cut;  // cut "h1c3": head with one stage, three linear layers as classifier
  double width = 1;
  std::string defense;  // its family: "infoscissors", "an+dp"
  double strength = 0;  // what a sweep of the family moves; NaN for a defence without strength
  std::uint64_t seed = 0;
};

/// From the run's resolved configuration.
Labels labels_of(const results::RunRecord& record);

/// The option that is a defence's strength ("scale" of an); empty for one without or one that is not known.
std::string strength_option(const std::string& defense);

/// All of them where it has several, the one above first: input and prediction of infoscissors.
std::vector<std::string> strength_options(const std::string& defense);

/// The strength that a defence's canonical spec says or implies: of several methods that of the first which has one;
/// infoscissors(prediction=0.5) has that of its prediction term. NaN where there is none.
double strength_of(const std::string& spec);

/// The methods of a spec without options: "an+dp"; "none" for an empty one.
std::string family_of(const std::string& spec);

/// What an attack's canonical spec says or implies of its means: images or labels, NaN where it needs none, and the
/// family of its network, empty where it has none.
double budget_of(const std::string& attack);
std::string decoder_of(const std::string& attack);

}  // namespace infoscissors::study
