#pragma once

#include "infoscissors/study/row.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace infoscissors::study {

/// Where a defence was tried: rows that differ here do not stand in one curve.
struct Place {
  std::string dataset, backbone, cut;
  double width = 1;
  auto operator<=>(const Place&) const = default;
  std::string text() const;  // "fashion-mnist, resnet-small x 0.5, h0c3"
};

/// A number for each seed.
using BySeed = std::map<std::uint64_t, double>;

/// A defence at one strength in one place, over its seeds.
struct Group {
  Place place;
  std::string defense, spec;
  double strength = kNone;
  std::map<std::string, BySeed> own;                             // measures of the device's network
  std::map<std::string, std::map<std::string, BySeed>> attacks;  // attack's spec -> measure -> seeds

  /// Empty where nothing was measured. An empty `attack` asks for the network's own measure.
  BySeed values(const std::string& attack, const std::string& metric) const;
};

struct Attack {
  std::string spec, goal, view, decoder;
  double budget = kNone;
  std::string name() const { return spec.substr(0, spec.find('(')); }
};

/// Runs grouped over seeds. Groups stand in the order of place, family (none first, then infoscissors) and strength;
/// attacks with reconstruction first, in the order of their spec.
struct Summary {
  std::vector<Attack> attacks;
  std::vector<Group> groups;

  const Attack& attack(const std::string& spec) const;
  std::vector<Place> places() const;
  std::vector<std::string> families() const;
};

/// What of the rows counts; empty lists take everything. An attack is chosen by name or by spec.
struct Choice {
  std::vector<std::string> datasets, defenses, attacks;
  std::vector<std::string> backbones = {}, cuts = {};
};

/// Values of an attack's several seeds on one run are averaged first; a value that is not finite makes the seed's NaN.
/// Throws UsageError for a chosen name that does not occur, and for two runs of one setting and seed, which differ in
/// something that a table does not show.
Summary summarise(const std::vector<Row>& rows, const Choice& choice = {});

/// Mean over the seeds with its 95 % Student interval.
struct Mean {
  double mean = kNone;        // NaN where there is no value or one is unknown
  double half_width = kNone;  // NaN for a single seed: it says nothing of the spread
  std::int64_t seeds = 0;
};
Mean mean_of(const BySeed& values);

/// The mean of an attack's main measure on a group.
Mean leakage(const Group& group, const Attack& attack);

/// The attack of `goal` with the largest mean on the group, or nullptr.
const Attack* strongest(const Summary& summary, const Group& group, const std::string& goal);

/// One mean with all that it belongs to: a row of the aggregated table.
base::Json to_json(const Summary& summary);
std::string to_csv(const Summary& summary);

/// The defence at its strength as short as it stays clear: "infoscissors 0.4", "none".
std::string short_name(const Group& group);

}  // namespace infoscissors::study
