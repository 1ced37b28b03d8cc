#include "infoscissors/attack/assignment.h"

#include "infoscissors/base/error.h"

#include <limits>

namespace infoscissors::attack {
namespace {

constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

/// Prices of rows and columns under which no pair costs less than both prices, and the assignment so far.
struct Matching {
  std::vector<double> row_price, column_price;
  std::vector<std::size_t> row_of;  // of each column

  // Grows a tree of pairs without slack from `row` until it reaches a free column, then flips the path to it.
  void add(std::size_t row, const std::vector<std::vector<double>>& cost) {
    const auto columns = column_price.size();
    std::vector<double> slack(columns, std::numeric_limits<double>::infinity());
    std::vector<std::size_t> from(columns, kNone);  // the column before on the shortest path; kNone: `row` itself
    std::vector<bool> done(columns, false);
    std::size_t column = kNone;
    for (std::size_t at = row;; at = row_of[column]) {
      std::size_t next = kNone;
      for (std::size_t c = 0; c < columns; ++c) {
        if (done[c]) continue;
        const double reduced = cost[at][c] - row_price[at] - column_price[c];
        if (reduced < slack[c]) {
          slack[c] = reduced;
          from[c] = column;
        }
        if (next == kNone || slack[c] < slack[next]) next = c;
      }
      const double step = slack[next];
      row_price[row] += step;
      for (std::size_t c = 0; c < columns; ++c) {
        if (done[c]) {
          row_price[row_of[c]] += step;
          column_price[c] -= step;
        } else {
          slack[c] -= step;
        }
      }
      done[next] = true;
      column = next;
      if (row_of[column] == kNone) break;
    }
    for (; column != kNone; column = from[column]) row_of[column] = from[column] == kNone ? row : row_of[from[column]];
  }
};

}  // namespace

std::vector<std::int64_t> assign_rows(const std::vector<std::vector<double>>& cost) {
  const auto rows = cost.size();
  const auto columns = rows == 0 ? 0 : cost.front().size();
  if (columns < rows) throw base::Error("[attack] {} rows cannot be assigned to {} columns one to one", rows, columns);
  Matching matching{std::vector(rows, 0.0), std::vector(columns, 0.0), std::vector(columns, kNone)};
  for (std::size_t row = 0; row < rows; ++row) matching.add(row, cost);
  std::vector<std::int64_t> result(rows);
  for (std::size_t column = 0; column < columns; ++column) {
    if (matching.row_of[column] != kNone) result[matching.row_of[column]] = static_cast<std::int64_t>(column);
  }
  return result;
}

}  // namespace infoscissors::attack
