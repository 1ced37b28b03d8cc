#include "infoscissors/sweep/finished.h"

#include "infoscissors/base/error.h"
#include "infoscissors/base/file.h"

#include <algorithm>

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

std::size_t column(const Row& header, const std::string& name, const std::string& file) {
  const auto found = std::find(header.begin(), header.end(), name);
  if (found == header.end()) throw UsageError("{}: has no column '{}': it is not a long table of results", file, name);
  return static_cast<std::size_t>(found - header.begin());
}

}  // namespace

Finished load_finished(const std::filesystem::path& table) {
  const auto file = table.string();
  if (!std::filesystem::exists(table)) throw UsageError("{}: there is no such table", file);
  const auto rows = rows_of(base::read_file(table));
  if (rows.empty()) throw UsageError("{}: is empty; a long table begins with the names of its columns", file);
  const auto run = column(rows.front(), "run", file);
  const auto attack = column(rows.front(), "attack", file);
  Finished finished;
  for (std::size_t i = 1; i < rows.size(); ++i) {
    if (rows[i].size() != rows.front().size()) {
      throw UsageError("{}: row {} has {} fields instead of {}", file, i + 1, rows[i].size(), rows.front().size());
    }
    finished[rows[i][run]].insert(rows[i][attack]);
  }
  return finished;
}

}  // namespace infoscissors::sweep
