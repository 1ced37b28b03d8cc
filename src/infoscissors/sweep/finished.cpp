#include "infoscissors/sweep/finished.h"

#include "infoscissors/base/error.h"
#include "infoscissors/base/file.h"
#include "infoscissors/results/record.h"

#include <algorithm>
#include <optional>

namespace infoscissors::sweep {
namespace {

using base::UsageError;
using Row = std::vector<std::string>;

/// Quoted fields may hold commas, doubled quotes and line breaks.
std::vector<Row> rows_of(const std::string& text) {
  std::vector<Row> rows;
  Row row;
  std::string field;
  bool quoted = false, begun = false;
  const auto end_row = [&] {
    if (!begun) return;
    row.push_back(std::move(field));
    rows.push_back(std::move(row));
    field.clear();
    row.clear();
    begun = false;
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c != '"') {
        field += c;
      } else if (i + 1 < text.size() && text[i + 1] == '"') {
        field += text[++i];
      } else {
        quoted = false;
      }
    } else if (c == '"') {
      quoted = begun = true;
    } else if (c == ',') {
      begun = true;
      row.push_back(std::move(field));
      field.clear();
    } else if (c == '\n') {
      end_row();
    } else if (c != '\r') {
      begun = true;
      field += c;
    }
  }
  end_row();
  return rows;
}

using Column = std::optional<std::size_t>;

Column column(const Row& header, const std::string& name) {
  const auto found = std::find(header.begin(), header.end(), name);
  return found == header.end() ? Column() : Column(static_cast<std::size_t>(found - header.begin()));
}

std::size_t required(const Row& header, const std::string& name, const std::string& file) {
  if (const auto place = column(header, name)) return *place;
  throw UsageError("{}: has no column '{}': it is not a long table of results", file, name);
}

/// A row counts only for a run that was trained to the end, and an attack only with the run's own seed. A table without
/// those columns is believed.
class Filter {
 public:
  explicit Filter(const Row& header)
      : status_(column(header, "status")), seed_(column(header, "seed")), attack_seed_(column(header, "attack_seed")) {}

  bool passes(const Row& row) const {
    if (status_ && row[*status_] != results::kComplete) return false;
    return !seed_ || !attack_seed_ || row[*attack_seed_].empty() || row[*attack_seed_] == row[*seed_];
  }

 private:
  Column status_, seed_, attack_seed_;
};

}  // namespace

Finished load_finished(const std::filesystem::path& table) {
  const auto file = table.string();
  if (!std::filesystem::exists(table)) throw UsageError("{}: there is no such table", file);
  const auto rows = rows_of(base::read_file(table));
  if (rows.empty()) throw UsageError("{}: is empty; a long table begins with the names of its columns", file);
  const auto& header = rows.front();
  const auto run = required(header, "run", file);
  const auto attack = required(header, "attack", file);
  const Filter filter(header);
  Finished finished;
  for (std::size_t i = 1; i < rows.size(); ++i) {
    const auto& row = rows[i];
    if (row.size() != header.size()) {
      throw UsageError("{}: row {} has {} fields instead of {}", file, i + 1, row.size(), header.size());
    }
    if (filter.passes(row)) finished[row[run]].insert(row[attack]);
  }
  return finished;
}

}  // namespace infoscissors::sweep
