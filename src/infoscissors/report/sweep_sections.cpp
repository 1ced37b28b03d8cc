#include "infoscissors/report/sweep_sections.h"

#include "infoscissors/base/error.h"
#include "infoscissors/report/escape.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace infoscissors::report {
namespace {

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

// The drawing's own width: narrower screens scroll instead of shrinking its text out of sight.
std::string least_width(const std::string& svg) {
  const auto at = svg.find("viewBox=\"0 0 ");
  if (at == std::string::npos) return "40rem";
  const double width = std::strtod(svg.c_str() + at + 13, nullptr);
  return fmt::format("{:.0f}px", std::min(width, 780.0));
}

std::string figure_html(const figure::Drawing& drawing, const std::string& id, const std::string& command) {
  return fmt::format(
      "<figure class='sweep-figure'><div class='drawn' style='--least:{}' tabindex='0' role='region' "
      "aria-label='Figure {}'>{}</div><figcaption>{}</figcaption>{}</figure>\n",
      least_width(drawing.bytes), escape(id), inline_svg(drawing.bytes, "figure-" + id, drawing.caption),
      escape(drawing.caption), command_html(command));
}

std::string figure_command(const study::Study& study, const std::string& name, const std::string& more = {}) {
  return fmt::format("infoscissors figure {} {}{} --out figure{}.svg", name, source_words(study), more, name);
}

bool is_grid(const std::string& name) {
  return name == "3" || name == "8";
}

}  // namespace

std::string shell_word(const std::string& text) {
  const bool plain = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) ||
           std::string_view("/._-+=:,@%").find(c) != std::string_view::npos;
  });
  if (plain) return text;
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? "'\\''" : std::string(1, c);
  return out + "'";
}

std::string source_words(const study::Study& study) {
  std::string words;
  for (const auto& source : study.sources) words += (words.empty() ? "" : " ") + shell_word(source.string());
  return words.empty() ? "DIR" : words;
}

std::string command_html(const std::string& command) {
  return "<p class='command'><code>" + escape(command) + "</code></p>";
}

std::string inline_svg(std::string svg, const std::string& id, const std::string& description) {
  const auto begin = svg.find("<svg");
  if (begin == std::string::npos) throw base::Error("gnuplot's drawing is no SVG");
  svg.erase(0, begin);
  // Several drawings on one page must not share names.
  for (const std::string name : {"gpDot", "gpPt", "gnuplot_canvas", "gnuplot_plot_", "textbox", "greybox"}) {
    replace_all(svg, "'" + name, "'" + id + "-" + name);
    replace_all(svg, "\"" + name, "\"" + id + "-" + name);
    replace_all(svg, "'#" + name, "'#" + id + "-" + name);
    replace_all(svg, "(#" + name, "(#" + id + "-" + name);
  }
  svg.insert(4, fmt::format(" role='img' aria-label='{}'", escape(description)));
  return svg;
}

std::string sortable_table(const study::Table& table, const std::string& id, const std::string& label) {
  std::string out = fmt::format(
      "<div class='scroll' tabindex='0' role='region' aria-label='{}'><table class='sortable' id='{}'><thead><tr>",
      escape(label), id);
  for (const auto& column : table.columns) {
    out += fmt::format("<th scope='col'{}><button type='button'>{}</button></th>",
                       column.number ? " class='number'" : "", escape(column.title));
  }
  out += "</tr></thead><tbody>\n";
  for (const auto& line : table.lines) {
    out += "<tr>";
    for (std::size_t i = 0; i < line.size(); ++i)
      out += fmt::format("<td{}>{}</td>", table.columns[i].number ? " class='number'" : "", escape(line[i]));
    out += "</tr>\n";
  }
  out += "</tbody></table></div>\n";
  for (const auto& note : table.notes) out += "<p class='note'>" + escape(note) + "</p>\n";
  return out;
}

std::string figures_section(const study::Study& study, const figure::FigureOptions& options) {
  std::string out = "<section aria-labelledby='figures'><h2 id='figures'>Figures</h2>\n", absent;
  for (const auto& doc : figure::figures()) {
    if (is_grid(doc.name)) continue;
    try {
      const auto drawing = figure::draw_figure(doc.name, study, options, figure::Format::svg);
      out += fmt::format("<h3>Figure {}: {}</h3>\n", escape(doc.name), escape(doc.summary)) +
             figure_html(drawing, doc.name, figure_command(study, doc.name));
    } catch (const base::Error& error) {
      absent += fmt::format("<li>Figure {}: {}.</li>", escape(doc.name), escape(error.what()));
    }
  }
  if (!absent.empty()) out += "<p>Not drawn:</p><ul>" + absent + "</ul>\n";
  return out + "</section>\n";
}

std::string grids_section(const study::Study& study, const figure::FigureOptions& options) {
  const auto places = figure::pictured_places(study, options);
  if (places.empty()) return {};
  std::string out = "<section aria-labelledby='grids'><h2 id='grids'>What the server sees</h2>\n";
  int number = 0;
  for (const auto& place : places) {
    try {
      const auto drawing = figure::image_grid(study, options, place, figure::Format::svg);
      const auto more = fmt::format(" --dataset {} --backbone {} --cut {}", shell_word(place.dataset),
                                    shell_word(place.backbone), shell_word(place.cut));
      out += figure_html(drawing, fmt::format("3-{}", ++number), figure_command(study, "3", more));
    } catch (const base::Error& error) {
      out += fmt::format("<p>{}: no grid: {}.</p>\n", escape(place.text()), escape(error.what()));
    }
  }
  return out + "</section>\n";
}

std::string tables_section(const study::Study& study, const study::Summary& summary) {
  const auto sources = source_words(study);
  std::string out = "<section aria-labelledby='means'><h2 id='means'>Accuracy and leakage</h2>\n";
  out += sortable_table(study::leakage_table(summary, "\xc2\xb1"), "means-table", "Accuracy and leakage") +
         command_html("infoscissors table " + sources);
  const study::HypervolumeOptions options;
  const auto values = study::hypervolumes(summary, options);
  if (!values.empty()) {
    out += "<h2 id='hypervolumes'>Each defence as one number</h2>\n" +
           sortable_table(study::hypervolume_table(values, options), "hypervolume-table", "Hypervolumes") +
           command_html("infoscissors table " + sources + " --hypervolume");
  }
  const auto families = summary.families();
  if (std::find(families.begin(), families.end(), "infoscissors") == families.end()) return out + "</section>\n";
  std::string comparisons;
  for (const auto& family : families) {
    if (family == "infoscissors" || family == "none") continue;
    try {
      const auto list = study::compare(summary, "infoscissors", family, options);
      comparisons += fmt::format("<details><summary>infoscissors and {}</summary>", escape(family)) +
                     sortable_table(study::comparison_table(list, "infoscissors", family), "compare-" + family,
                                    "infoscissors and " + family) +
                     command_html("infoscissors table " + sources + " --compare infoscissors " + shell_word(family)) +
                     "</details>\n";
    } catch (const base::UsageError&) {
      continue;  // no seed and attack in common
    }
  }
  if (!comparisons.empty()) out += "<h2 id='compared'>InfoScissors compared</h2>\n" + comparisons;
  return out + "</section>\n";
}

std::string missing_section(const study::Study& study) {
  std::string out = "<section aria-labelledby='missing'><h2 id='missing'>What is missing</h2>\n";
  if (study.missing.empty()) return out + "<p>Nothing that was planned.</p></section>\n";
  study::Table table{{{"Data set"}, {"Defence"}, {"Seed", true}, {"What"}, {"Why"}}, {}, {}};
  for (const auto& one : study.missing) {
    table.lines.push_back({one.labels.dataset, one.spec, fmt::format("{}", one.labels.seed),
                           one.attack.empty() ? "the whole run" : one.attack, one.reason});
  }
  return out + sortable_table(table, "missing-table", "What is missing") + "</section>\n";
}

}  // namespace infoscissors::report
