#include "infoscissors/report/table.h"

#include <algorithm>

namespace infoscissors::report {
namespace {

using Lines = std::vector<std::vector<std::string>>;

// Code points, not bytes, so that a name outside ASCII does not push its line out of the column.
std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string padded(const std::string& text, std::size_t width, bool left) {
  const std::string space(width - width_of(text), ' ');
  return left ? text + space : space + text;
}

std::string aligned(const Lines& lines) {
  std::vector<std::size_t> widths(lines.front().size());
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], width_of(line[i]));
  }
  std::string text;
  for (const auto& line : lines) {
    std::string row;
    for (std::size_t i = 0; i < line.size(); ++i) row += (i > 0 ? "  " : "") + padded(line[i], widths[i], i == 0);
    text += row.substr(0, row.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

}  // namespace

std::string render_table(const Comparison& comparison) {
  Lines lines(3);
  lines[0] = {"", ""};
  lines[1] = {"", "device's"};
  lines[2] = {"defence", "accuracy"};
  for (const auto& column : comparison.columns) {
    lines[0].push_back(column.spec + " ");
    lines[1].push_back(column.view + " ");
    lines[2].push_back(measure_title(main_measure(column.goal)) + " ");
  }
  for (const auto& row : comparison.rows) {
    std::vector<std::string> line = {row.label, measure_text("accuracy", row.accuracy)};
    for (std::size_t i = 0; i < row.cells.size(); ++i) {
      const auto& cell = row.cells[i];
      line.push_back(measure_text(main_measure(comparison.columns[i].goal), cell.value) + (cell.strongest ? "*" : " "));
    }
    lines.push_back(std::move(line));
  }
  if (comparison.columns.empty()) {
    lines.erase(lines.begin());  // the line of the attacks' names
    return aligned(lines);
  }
  return aligned(lines) +
         "* the strongest attack of its kind on that run; higher SSIM or accuracy of an attack is more leakage\n";
}

std::string render_table(const std::vector<RunDirectory>& runs) {
  return render_table(compare(runs));
}

}  // namespace infoscissors::report
