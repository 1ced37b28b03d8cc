#pragma once

#include "infoscissors/base/json.h"
#include "infoscissors/report/run.h"

#include <limits>
#include <string>
#include <vector>

namespace infoscissors::report {

/// One attack as a column of the comparison.
struct Column {
  std::string spec;
  std::string view;
  std::string goal;
  bool operator==(const Column&) const = default;
};

struct Cell {
  double value = std::numeric_limits<double>::quiet_NaN();  // mean over the attack's seeds; NaN: was not run
  bool strongest = false;                                   // leaks most among the attacks of its goal on this run
};

struct Row {
  std::string label;  // the defence, with the seed where the same defence stands in several rows
  double accuracy = std::numeric_limits<double>::quiet_NaN();
  std::vector<Cell> cells;  // one a column
};

/// Runs against attacks. Columns come in the order in which the attacks first appear, reconstruction before inference.
struct Comparison {
  std::vector<Column> columns;
  std::vector<Row> rows;
};

Comparison compare(const std::vector<RunDirectory>& runs);

/// The index of the strongest attack of `goal` in a row, or -1.
int strongest(const Comparison& comparison, const Row& row, const std::string& goal);

/// {attacks: [{spec, view, goal, measure}], runs: [{label, accuracy, leakage: [...]}]}; null where nothing was
/// measured.
base::Json to_json(const Comparison& comparison);

}  // namespace infoscissors::report
