#include "infoscissors/report/chart.h"

#include "infoscissors/report/escape.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace infoscissors::report {
namespace {

// The drawing area in the units of the view box.
constexpr double kWidth = 360, kHeight = 216;
constexpr double kLeft = 46, kRight = 350, kTop = 10, kBottom = 178;
constexpr int kStyles = 4;
constexpr std::size_t kMarkers = 12;  // a line carries about so many
constexpr const char* kDashes[kStyles] = {"none", "7 4", "2 3", "9 3 2 3"};

struct Axis {
  std::vector<double> ticks;
  double from, to;  // where the first and the last tick stand in the drawing
  double place(double value) const {
    return from + (to - from) * (value - ticks.front()) / (ticks.back() - ticks.front());
  }
};

struct Range {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();
  void add(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
};

std::string marker(int style, double x, double y) {
  switch (style) {
    case 0:
      return fmt::format("<circle cx='{:.1f}' cy='{:.1f}' r='3.2'/>", x, y);
    case 1:
      return fmt::format("<rect x='{:.1f}' y='{:.1f}' width='6' height='6'/>", x - 3, y - 3);
    case 2:
      return fmt::format("<path d='M{:.1f} {:.1f}l4 7h-8z'/>", x, y - 4.2);
    default:
      return fmt::format("<path d='M{:.1f} {:.1f}l4 4-4 4-4-4z'/>", x, y - 4);
  }
}

std::string tick_text(double value, bool share) {
  if (share) return fmt::format("{:.4g} %", 100 * value);
  return fmt::format("{:.4g}", value);
}

std::string axes(const Chart& chart, const Axis& x, const Axis& y) {
  std::string out = "<g class='axis'>";
  for (const double tick : y.ticks) {
    const double at = y.place(tick);
    out += fmt::format("<line class='rule' x1='{}' x2='{}' y1='{:.1f}' y2='{:.1f}'/>", kLeft, kRight, at, at);
    out += fmt::format("<text x='{}' y='{:.1f}' text-anchor='end'>{}</text>", kLeft - 5, at + 3.5,
                       tick_text(tick, chart.share));
  }
  for (const double tick : x.ticks) {
    if (tick != std::floor(tick)) continue;
    out += fmt::format("<text x='{:.1f}' y='{}' text-anchor='middle'>{:g}</text>", x.place(tick), kBottom + 15, tick);
  }
  out += fmt::format("<line x1='{0}' x2='{1}' y1='{2}' y2='{2}'/>", kLeft, kRight, kBottom);
  out += fmt::format("<text x='{}' y='{}' text-anchor='middle'>{}</text>", (kLeft + kRight) / 2, kBottom + 32,
                     escape(chart.x_label));
  return out + "</g>";
}

std::string line(const Series& series, int style, const Axis& x, const Axis& y) {
  std::string path, markers;
  bool pen_down = false;
  const std::size_t every = (series.x.size() + kMarkers - 1) / kMarkers;
  for (std::size_t i = 0; i < series.x.size(); ++i) {
    if (!std::isfinite(series.y[i])) {
      pen_down = false;
      continue;
    }
    const double px = x.place(series.x[i]);
    const double py = y.place(series.y[i]);
    path += fmt::format("{}{:.1f} {:.1f}", pen_down ? "L" : "M", px, py);
    if (i % every == 0 || i + 1 == series.x.size()) markers += marker(style, px, py);
    pen_down = true;
  }
  return fmt::format("<g class='s{}'><path class='line' d='{}' stroke-dasharray='{}'/>{}</g>", style, path,
                     kDashes[style], markers);
}

std::string legend(const Chart& chart) {
  std::string out = "<ul class='legend'>";
  int style = 0;
  for (const auto& series : chart.series) {
    out += fmt::format(
        "<li><svg width='30' height='12' aria-hidden='true'><g class='s{0}'><path class='line' d='M1 6H29' "
        "stroke-dasharray='{1}'/>{2}</g></svg>{3}</li>",
        style % kStyles, kDashes[style % kStyles], marker(style % kStyles, 15, 6), escape(series.name));
    ++style;
  }
  return out + "</ul>";
}

std::string in_words(const Chart& chart) {
  std::string text;
  for (const auto& series : chart.series) {
    std::vector<double> finite;
    std::copy_if(series.y.begin(), series.y.end(), std::back_inserter(finite),
                 [](double v) { return std::isfinite(v); });
    if (finite.empty()) continue;
    text += fmt::format("{}{}: from {} to {}", text.empty() ? "" : "; ", series.name,
                        tick_text(finite.front(), chart.share), tick_text(finite.back(), chart.share));
  }
  return text;
}

}  // namespace

std::vector<double> nice_ticks(double low, double high, int wanted) {
  if (high - low < 1e-12 * std::max(1.0, std::abs(high))) {
    const double margin = std::max(std::abs(high) * 0.05, 1e-6);
    low -= margin;
    high += margin;
  }
  const double raw = (high - low) / wanted;
  const double power = std::pow(10.0, std::floor(std::log10(raw)));
  double step = 10 * power;
  for (const double factor : {5.0, 2.0, 1.0}) {
    if (factor * power >= raw * 0.999) step = factor * power;
  }
  const auto first = std::floor(low / step + 1e-9);
  const auto last = std::ceil(high / step - 1e-9);
  std::vector<double> ticks;
  for (double i = first; i <= last; ++i) ticks.push_back(i * step);
  return ticks;
}

std::string line_chart(const Chart& chart, const std::string& id) {
  Range xs, ys;
  for (const auto& series : chart.series) {
    for (std::size_t i = 0; i < series.x.size(); ++i) {
      if (!std::isfinite(series.y[i])) continue;
      xs.add(series.x[i]);
      ys.add(series.y[i]);
    }
  }
  if (xs.low > xs.high) return {};
  if (xs.low == xs.high) {
    xs.add(xs.low - 1);
    xs.add(xs.high + 1);
  }
  Axis x{nice_ticks(xs.low, xs.high, 6), kLeft, kRight};
  // The horizontal axis ends where the data end; ticks outside would only squeeze the lines.
  std::erase_if(x.ticks, [&](double tick) { return tick <= xs.low || tick >= xs.high; });
  x.ticks.insert(x.ticks.begin(), xs.low);
  x.ticks.push_back(xs.high);
  x.from += 8;
  x.to -= 8;
  const Axis y{nice_ticks(ys.low, ys.high, 4), kBottom, kTop};
  std::string out = fmt::format(
      "<figure class='chart'><figcaption>{0} <span class='unit'>{1}</span></figcaption>"
      "<svg viewBox='0 0 {2} {3}' role='img' aria-labelledby='{4}-t {4}-d'><title id='{4}-t'>{0}</title>"
      "<desc id='{4}-d'>{5}</desc>",
      escape(chart.title), escape(chart.y_label), kWidth, kHeight, id, escape(in_words(chart)));
  out += axes(chart, x, y);
  int style = 0;
  for (const auto& series : chart.series) out += line(series, style++ % kStyles, x, y);
  return out + "</svg>" + legend(chart) + "</figure>";
}

}  // namespace infoscissors::report
