#include "infoscissors/study/table.h"

#include <algorithm>

namespace infoscissors::study {
namespace {

// Code points, not bytes, so that a name outside ASCII does not push its line out of the column.
std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string markdown_cell(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '|' || c == '*' || c == '_' || c == '`' || c == '<') out += '\\';
    out += c;
  }
  return out;
}

std::string latex_text(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (text.compare(i, 2, "+-") == 0) {
      out += "$\\pm$";
      ++i;
    } else if (c == '\\') {
      out += "\\textbackslash{}";
    } else if (c == '~' || c == '^') {
      out += std::string("\\") + c + "{}";
    } else {
      if (std::string_view("&%$#_{}").find(c) != std::string_view::npos) out += '\\';
      out += c;
    }
  }
  return out;
}

std::string markdown_line(const std::vector<std::string>& cells, const std::vector<std::size_t>& widths,
                          const std::vector<Table::Column>& columns) {
  std::string line = "|";
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const std::string space(widths[i] - width_of(cells[i]), ' ');
    line += " " + (columns[i].number ? space + cells[i] : cells[i] + space) + " |";
  }
  return line + "\n";
}

}  // namespace

std::string to_markdown(const Table& table) {
  std::vector<std::vector<std::string>> cells(1);
  for (const auto& column : table.columns) cells.front().push_back(markdown_cell(column.title));
  for (const auto& line : table.lines) {
    auto& row = cells.emplace_back();
    for (const auto& cell : line) row.push_back(markdown_cell(cell));
  }
  std::vector<std::size_t> widths(table.columns.size(), 3);
  for (const auto& row : cells) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  std::string text = markdown_line(cells.front(), widths, table.columns);
  text += "|";
  for (std::size_t i = 0; i < widths.size(); ++i) {
    text += table.columns[i].number ? std::string(widths[i] + 1, '-') + ":|" : std::string(widths[i] + 2, '-') + "|";
  }
  text += "\n";
  for (std::size_t i = 1; i < cells.size(); ++i) text += markdown_line(cells[i], widths, table.columns);
  for (const auto& note : table.notes) text += "\n" + note + "\n";
  return text;
}

std::string to_latex(const Table& table) {
  std::string columns;
  for (const auto& column : table.columns) columns += column.number ? 'r' : 'l';
  std::string text;
  for (const auto& note : table.notes) text += "% " + note + "\n";
  text += "\\begin{tabular}{" + columns + "}\n\\toprule\n";
  const auto add_line = [&](const std::vector<std::string>& cells) {
    for (std::size_t i = 0; i < cells.size(); ++i) text += (i > 0 ? " & " : "") + latex_text(cells[i]);
    text += " \\\\\n";
  };
  std::vector<std::string> titles;
  for (const auto& column : table.columns) titles.push_back(column.title);
  add_line(titles);
  text += "\\midrule\n";
  for (const auto& line : table.lines) add_line(line);
  return text + "\\bottomrule\n\\end{tabular}\n";
}

std::string to_csv(const Table& table) {
  std::string text;
  const auto add_line = [&](const std::vector<std::string>& cells) {
    for (std::size_t i = 0; i < cells.size(); ++i) text += (i > 0 ? "," : "") + csv_cell(cells[i]);
    text += "\n";
  };
  std::vector<std::string> titles;
  for (const auto& column : table.columns) titles.push_back(column.title);
  add_line(titles);
  for (const auto& line : table.lines) add_line(line);
  return text;
}

}  // namespace infoscissors::study
