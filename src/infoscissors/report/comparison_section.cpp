#include "infoscissors/report/escape.h"
#include "infoscissors/report/sections.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace infoscissors::report {
namespace {

// The bar repeats the figure for the eye; both measures have 1 as "all leaked".
std::string cell_html(const Column& column, const Cell& cell) {
  const std::string text = measure_text(main_measure(column.goal), cell.value);
  if (!std::isfinite(cell.value)) return "<td class='number none'>not run</td>";
  return fmt::format(
      "<td class='number{0}'>{1}{2}<span class='bar' style='--share:{3:.0f}%'></span></td>",
      cell.strongest ? " strongest" : "",
      cell.strongest ? "<span class='mark' role='img' aria-label='strongest attack'>&#9679;</span> " : "", text,
      100 * std::clamp(cell.value, 0.0, 1.0));
}

}  // namespace

std::string comparison_section(const Comparison& comparison) {
  std::string out =
      "<section aria-labelledby='leakage'><h2 id='leakage'>Accuracy and leakage</h2>\n"
      "<div class='scroll' tabindex='0' role='region' aria-labelledby='leakage'><table class='leakage'><thead><tr>"
      "<th scope='col'>Defence</th><th scope='col' class='number'>Accuracy<small>of the device</small></th>";
  for (const auto& column : comparison.columns) {
    out += fmt::format("<th scope='col' class='number'>{}<small>{}, {}</small></th>", code(column.spec),
                       column.goal == "input" ? "SSIM" : "labels inferred", escape(column.view));
  }
  out += "</tr></thead>\n<tbody>";
  for (const auto& row : comparison.rows) {
    out += fmt::format("<tr><th scope='row'>{}</th><td class='number'>{}</td>", code(row.label),
                       measure_text("accuracy", row.accuracy));
    for (std::size_t i = 0; i < row.cells.size(); ++i) out += cell_html(comparison.columns[i], row.cells[i]);
    out += "</tr>\n";
  }
  out += "</tbody></table></div>\n";
  if (!comparison.columns.empty()) {
    out +=
        "<p class='note'><span class='mark' aria-hidden='true'>&#9679;</span> marks the strongest attack of its kind "
        "on "
        "that run. More accuracy of the device is better; more SSIM or accuracy of an attack is more leakage.</p>";
  }
  return out + "</section>\n";
}

}  // namespace infoscissors::report
