#include "infoscissors/base/error.h"
#include "infoscissors/figure/gnuplot.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

namespace infoscissors::figure {
namespace {

constexpr double kPanelWidth = 400, kPanelHeight = 310;  // with labels and title
constexpr double kLeft = 68, kRight = 16, kTop = 30, kBottom = 66;
constexpr double kEntryWidth = 128, kEntryHeight = 22, kLegendMargin = 8;
constexpr double kOpacity = 0.13;

struct Corner {
  double x, y;
};

int columns_of(const Plot& plot) {
  return std::max(1, std::min<int>(plot.columns, static_cast<int>(plot.panels.size())));
}

int rows_of(const Plot& plot) {
  const int columns = columns_of(plot);
  return (static_cast<int>(plot.panels.size()) + columns - 1) / columns;
}

// The legend's entries: the first series of each name.
std::vector<const Series*> entries_of(const Plot& plot) {
  std::vector<const Series*> entries;
  for (const auto& panel : plot.panels) {
    for (const auto& series : panel.series) {
      const auto same = [&](const Series* other) { return other->name == series.name; };
      if (std::none_of(entries.begin(), entries.end(), same)) entries.push_back(&series);
    }
  }
  return entries;
}

double entry_width(const std::vector<const Series*>& entries) {
  std::size_t longest = 0;
  for (const auto* series : entries) longest = std::max(longest, series->name.size());
  return std::max(kEntryWidth, 56 + 7.5 * static_cast<double>(longest));
}

int legend_columns(const Plot& plot) {
  const auto entries = entries_of(plot);
  const double fit = std::floor(columns_of(plot) * kPanelWidth / entry_width(entries));
  return std::clamp(static_cast<int>(fit), 1, std::max(1, static_cast<int>(entries.size())));
}

double legend_height(const Plot& plot) {
  const auto count = static_cast<int>(entries_of(plot).size());
  const int columns = legend_columns(plot);
  return kLegendMargin + kEntryHeight * ((count + columns - 1) / columns);
}

// Counter-clockwise hull by Andrew's monotone chain.
std::vector<Corner> hull(std::vector<Corner> points) {
  std::sort(points.begin(), points.end(),
            [](const Corner& a, const Corner& b) { return a.x != b.x ? a.x < b.x : a.y < b.y; });
  std::vector<Corner> out;
  const auto chain = [&](auto begin, auto end) {
    const auto base = out.size();
    for (auto at = begin; at != end; ++at) {
      while (out.size() >= base + 2) {
        const auto& a = out[out.size() - 2];
        const auto& b = out.back();
        if ((b.x - a.x) * (at->y - a.y) - (b.y - a.y) * (at->x - a.x) > 0) break;
        out.pop_back();
      }
      out.push_back(*at);
    }
    out.pop_back();
  };
  chain(points.begin(), points.end());
  chain(points.rbegin(), points.rend());
  return out;
}

void add_box(std::vector<Corner>& corners, const Point& point) {
  const auto ends = [](double middle, const Spread& spread) {
    const bool known = std::isfinite(spread.low) && std::isfinite(spread.high);
    return known ? spread : Spread{middle, middle};
  };
  const auto x = ends(point.x, point.x_spread), y = ends(point.y, point.y_spread);
  for (const double cx : {x.low, x.high}) {
    for (const double cy : {y.low, y.high}) corners.push_back({cx, cy});
  }
}

// Between neighbours the hull of both points' boxes: where the curve runs if it runs straight between any two points of
// the boxes.
std::string band_data(const Series& series) {
  std::string data;
  const auto add = [&](const std::vector<Corner>& corners) {
    for (const auto& corner : corners) data += fmt::format("{:.6g} {:.6g}\n", corner.x, corner.y);
    data += "\n";
  };
  for (std::size_t i = 0; i + 1 < series.points.size() || i == 0; ++i) {
    if (i >= series.points.size()) break;
    std::vector<Corner> corners;
    add_box(corners, series.points[i]);
    if (i + 1 < series.points.size()) add_box(corners, series.points[i + 1]);
    const auto polygon = hull(std::move(corners));
    if (polygon.size() > 2) add(polygon);
  }
  return data;
}

std::string point_data(const Series& series) {
  std::string data;
  for (const auto& point : series.points) data += fmt::format("{:.6g} {:.6g}\n", point.x, point.y);
  return data;
}

std::string line_style(const Series& series) {
  const Style style = style_of(series.style);
  return fmt::format("lc rgb '{}' lw {} dt {} pt {} ps 0.85", style.colour, style.width, style.dashes, style.marker);
}

std::string data_block(const std::string& name, const std::string& data) {
  return fmt::format("${} << EOD\n{}EOD\n", name, data);
}

// Where a panel's axes lie, as shares of the figure.
std::string margins(const Plot& plot, int index) {
  const Size size = size_of(plot);
  const int column = index % columns_of(plot), row = index / columns_of(plot);
  const double left = column * kPanelWidth + kLeft, right = (column + 1) * kPanelWidth - kRight;
  const double top = row * kPanelHeight + kTop, bottom = (row + 1) * kPanelHeight - kBottom;
  return fmt::format(
      "set lmargin at screen {:.5f}\nset rmargin at screen {:.5f}\nset tmargin at screen {:.5f}\nset bmargin at screen "
      "{:.5f}\n",
      left / size.width, right / size.width, 1 - top / size.height, 1 - bottom / size.height);
}

// A logarithmic axis is marked where it was measured: a few budgets, not powers of ten.
std::string marked_x(const Panel& panel) {
  std::set<double> places;
  for (const auto& series : panel.series) {
    for (const auto& point : series.points) places.insert(point.x);
  }
  std::string marks;
  for (const double place : places) marks += fmt::format("{}{:g}", marks.empty() ? "" : ", ", place);
  return fmt::format("set xtics ({})\n", marks);
}

std::string panel_script(const Plot& plot, int index) {
  const Panel& panel = plot.panels[static_cast<std::size_t>(index)];
  std::string script = margins(plot, index);
  script += fmt::format("set title {} offset 0,-0.4\nset xlabel {} offset 0,0.3\nset ylabel {} offset 1,0\n",
                        quoted(panel.title), quoted(panel.x_label), quoted(panel.y_label));
  script += panel.log_x ? "set logscale x 10\n" + marked_x(panel) : std::string("unset logscale\nset xtics autofreq\n");
  std::string bands, lines;
  int number = 0;
  for (const auto& series : panel.series) {
    if (series.points.empty()) continue;
    const auto name = fmt::format("p{}s{}", index, number++);
    if (const auto band = band_data(series); !band.empty()) {
      script += data_block(name + "b", band);
      bands +=
          fmt::format("{}${}b using 1:2 with filledcurves closed fs transparent solid {} noborder lc rgb '{}' notitle",
                      bands.empty() ? "" : ", \\\n  ", name, kOpacity, style_of(series.style).colour);
    }
    script += data_block(name, point_data(series));
    lines += fmt::format("{}${} using 1:2 with linespoints {} notitle", lines.empty() ? "" : ", \\\n  ", name,
                         line_style(series));
  }
  if (lines.empty()) throw base::Error("the panel '{}' has nothing to show", panel.title);
  return script + "plot " + bands + (bands.empty() ? "" : ", \\\n  ") + lines + "\n";
}

std::string legend_script(const Plot& plot) {
  const Size size = size_of(plot);
  std::string script = fmt::format(
      "reset\nset lmargin at screen 0\nset rmargin at screen 1\nset bmargin at screen 0\nset tmargin at screen {:.5f}\n"
      "unset border\nunset tics\nset xrange [0:1]\nset yrange [0:1]\n"
      "set key center center maxcols {} maxrows {} horizontal Left reverse samplen 4 width 2 noautotitle\n",
      legend_height(plot) / size.height, legend_columns(plot),
      (static_cast<int>(entries_of(plot).size()) + legend_columns(plot) - 1) / legend_columns(plot));
  std::string entries;
  for (const auto* series : entries_of(plot)) {
    entries += fmt::format("{}NaN with linespoints {} title {}", entries.empty() ? "" : ", \\\n  ", line_style(*series),
                           quoted(series->name));
  }
  return script + "plot " + entries + "\n";
}

}  // namespace

Size size_of(const Plot& plot) {
  return {columns_of(plot) * kPanelWidth, rows_of(plot) * kPanelHeight + legend_height(plot)};
}

std::string script_of(const Plot& plot) {
  if (plot.panels.empty()) throw base::Error("the figure has no panel");
  std::string script =
      "set multiplot\nunset key\nset border 3 lc rgb '#444444'\nset tics nomirror out scale 0.6 textcolor rgb "
      "'#333333'\n"
      "set grid xtics ytics lt 1 lw 0.6 lc rgb '#dddddd'\nset offsets graph 0.03, graph 0.03, graph 0.05, graph "
      "0.05\nset autoscale noextend\n";
  for (int i = 0; i < static_cast<int>(plot.panels.size()); ++i) script += panel_script(plot, i);
  return script + legend_script(plot) + "unset multiplot\n";
}

}  // namespace infoscissors::figure
