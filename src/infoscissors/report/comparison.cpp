#include "infoscissors/report/comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

namespace infoscissors::report {
namespace {

using base::Json;
using results::AttackRecord;

Column column_of(const AttackRecord& attack) {
  return {attack.spec, attack.view, attack.goal};
}

std::vector<Column> columns_of(const std::vector<RunDirectory>& runs) {
  std::vector<Column> columns;
  for (const auto& run : runs) {
    for (const auto& attack : run.record.attacks) {
      const Column column = column_of(attack);
      if (std::find(columns.begin(), columns.end(), column) == columns.end()) columns.push_back(column);
    }
  }
  std::stable_partition(columns.begin(), columns.end(), [](const Column& column) { return column.goal == "input"; });
  return columns;
}

double value_or_nan(const std::map<std::string, double>& measures, const std::string& key) {
  const auto found = measures.find(key);
  return found == measures.end() ? std::numeric_limits<double>::quiet_NaN() : found->second;
}

// Mean over the seeds of one attack; a seed that failed (NaN) makes the mean unknown rather than rosier.
double mean_leakage(const results::RunRecord& record, const Column& column) {
  double sum = 0;
  int count = 0;
  for (const auto& attack : record.attacks) {
    if (column_of(attack) != column) continue;
    sum += value_or_nan(attack.measures, main_measure(attack.goal));
    ++count;
  }
  return count == 0 ? std::numeric_limits<double>::quiet_NaN() : sum / count;
}

}  // namespace

int strongest(const Comparison& comparison, const Row& row, const std::string& goal) {
  int best = -1;
  for (std::size_t i = 0; i < comparison.columns.size(); ++i) {
    if (comparison.columns[i].goal != goal || !std::isfinite(row.cells[i].value)) continue;
    if (best < 0 || row.cells[i].value > row.cells[best].value) best = static_cast<int>(i);
  }
  return best;
}

Comparison compare(const std::vector<RunDirectory>& runs) {
  Comparison comparison{columns_of(runs), {}};
  std::map<std::string, int> times;
  for (const auto& run : runs) ++times[label(run)];
  for (const auto& run : runs) {
    Row row;
    row.label = label(run);
    if (times[row.label] > 1) row.label += fmt::format(" seed {}", run.record.seed);
    row.accuracy = value_or_nan(run.record.measures, "accuracy");
    for (const auto& column : comparison.columns) row.cells.push_back({mean_leakage(run.record, column), false});
    for (const char* goal : {"input", "prediction"}) {
      if (const int best = strongest(comparison, row, goal); best >= 0) row.cells[best].strongest = true;
    }
    comparison.rows.push_back(std::move(row));
  }
  return comparison;
}

Json to_json(const Comparison& comparison) {
  Json attacks = Json::array();
  for (const auto& column : comparison.columns) {
    attacks.push_back(
        {{"spec", column.spec}, {"view", column.view}, {"goal", column.goal}, {"measure", main_measure(column.goal)}});
  }
  Json runs = Json::array();
  for (const auto& row : comparison.rows) {
    Json leakage = Json::array();
    for (const auto& cell : row.cells)
      leakage.push_back({{"value", base::real(cell.value)}, {"strongest", cell.strongest}});
    runs.push_back({{"label", row.label}, {"accuracy", base::real(row.accuracy)}, {"leakage", std::move(leakage)}});
  }
  return {{"attacks", std::move(attacks)}, {"runs", std::move(runs)}};
}

}  // namespace infoscissors::report
