#pragma once

#include "infoscissors/results/certificates.h"
#include "infoscissors/results/record.h"
#include "infoscissors/study/labels.h"

#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Runs as one long table, and what a table or a figure says of it: means and intervals over seeds. No libtorch.
namespace infoscissors::study {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

/// One number of one run: a line of the long table. A column has one type, and what does not apply is empty.
struct Row {
  std::string run;  // hash of the configuration
  Labels labels;
  std::string spec;    // the defence, canonical
  std::string status;  // of the run
  // Of the attack; empty for a measure of the device's own network.
  std::string attack;  // canonical spec
  std::optional<std::uint64_t> attack_seed;
  std::string goal, view;
  double budget = kNone;  // images the attacker has, or labels
  std::string decoder;    // family of its network
  std::string metric;     // a measure of docs/metrics.md, "I(r; x) l1out" or "certificate fano"
  double value = kNone;
  std::string commit, version;
};

/// Every number of a run, ordered as in its record. `information` is what `infoscissors mi RUN --json` printed, or
/// null.
std::vector<Row> rows_of(const results::RunRecord& record, const Labels& labels,
                         const std::optional<results::Certificates>& certificates, const base::Json& information);

/// RFC 4180 with a header line. NaN and what does not apply are empty; numbers keep every digit.
std::string to_csv(const std::vector<Row>& rows);

/// A JSON value as a cell of CSV, quoted where it must be; null is empty.
std::string csv_cell(const base::Json& value);

/// One object a row, the columns as keys, null for empty.
base::Json to_json(const std::vector<Row>& rows);

/// Reads what to_csv wrote. Columns may come in any order and unknown ones are passed over. Throws Error naming `file`
/// and line for a missing column, a value of the wrong type or a line that ends too early.
std::vector<Row> from_csv(std::string_view text, const std::string& file);

}  // namespace infoscissors::study
