#pragma once

#include <limits>
#include <string>
#include <vector>

/// Figures of a study: what is drawn, as data, and how gnuplot draws it. No libtorch.
namespace infoscissors::figure {

/// A range along one axis; NaN where nothing is known of the spread.
struct Spread {
  double low = std::numeric_limits<double>::quiet_NaN();
  double high = std::numeric_limits<double>::quiet_NaN();
};

struct Point {
  double x = 0, y = 0;
  Spread x_spread, y_spread;
};

/// Points joined in their order, with a band through their spreads.
struct Series {
  std::string name;   // as the legend calls it; equal names are one entry
  std::string style;  // a defence's family: chooses colour, dashes and marker
  std::vector<Point> points;
};

struct Panel {
  std::string title, x_label, y_label;
  bool log_x = false;
  std::vector<Series> series;
};

/// Panels row by row with one legend below.
struct Plot {
  std::vector<Panel> panels;
  int columns = 2;
  std::string caption;  // what the points, bands and choices mean; not drawn
};

/// Colour, dashes and marker of a family, the same in every figure. Every family of the library has its own; others
/// share a few more.
struct Style {
  std::string colour;  // "#0072B2"
  int marker = 0;      // gnuplot's point type
  std::string dashes;  // gnuplot's dash pattern, "solid" or "(8,4)"
  double width = 1.6;
};
Style style_of(const std::string& family);

}  // namespace infoscissors::figure
