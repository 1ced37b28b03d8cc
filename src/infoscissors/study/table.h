#pragma once

#include "infoscissors/base/json.h"
#include "infoscissors/stats/bootstrap.h"
#include "infoscissors/stats/pareto.h"
#include "infoscissors/study/summary.h"

#include <string>
#include <vector>

namespace infoscissors::study {

/// A table for people: cells are text, numbers stand to the right.
struct Table {
  struct Column {
    std::string title;
    bool number = false;
  };
  std::vector<Column> columns;
  std::vector<std::vector<std::string>> lines;
  std::vector<std::string> notes;  // below, a line each
};

/// Accuracy of the device and leakage by defence and strength, mean +- half width over the seeds: the strongest attack
/// of each goal with its name, then every attack. `sign` stands between mean and half width; a star marks the settings
/// on the Pareto front of their place, over all defences.
Table leakage_table(const Summary& summary, const std::string& sign = "+-");

/// What a hypervolume is measured from, and how its interval comes about.
struct HypervolumeOptions {
  stats::Tradeoff reference{0, 1};  // accuracy, leakage
  stats::Bootstrap bootstrap;
};

/// One defence's curve in one place under one attack, as one number.
struct CurveValue {
  Place place;
  std::string defense, attack, goal;
  std::size_t strengths = 0;
  stats::Hypervolume volume;  // over the seeds that have every strength
  BySeed by_seed;             // of each such seed alone
};

/// One for each place, family and attack that have at least one complete seed.
std::vector<CurveValue> hypervolumes(const Summary& summary, const HypervolumeOptions& options = {});

Table hypervolume_table(const std::vector<CurveValue>& values, const HypervolumeOptions& options);
base::Json to_json(const std::vector<CurveValue>& values, const HypervolumeOptions& options);

/// Two defences paired by seed and compared by permutation test: two specs by accuracy and leakage, two families by the
/// hypervolumes of their curves.
struct Comparison {
  Place place;
  std::string attack, measure;  // attack empty: the device's own; measure may be "hypervolume"
  double a = kNone, b = kNone;  // means over the pairs
  double difference = kNone, p = kNone, smallest_p = kNone;
  std::int64_t pairs = 0;
};

/// Throws UsageError for names that do not occur, a family beside a spec, or two without a common seed.
std::vector<Comparison> compare(const Summary& summary, const std::string& a, const std::string& b,
                                const HypervolumeOptions& options = {});

Table comparison_table(const std::vector<Comparison>& list, const std::string& a, const std::string& b);
base::Json to_json(const std::vector<Comparison>& list);

/// GitHub's flavour, columns aligned; notes as lines below.
std::string to_markdown(const Table& table);
/// A tabular for the package booktabs, with text escaped; notes as comments.
std::string to_latex(const Table& table);
std::string to_csv(const Table& table);

}  // namespace infoscissors::study
