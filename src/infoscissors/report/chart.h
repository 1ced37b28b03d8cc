#pragma once

#include <string>
#include <vector>

namespace infoscissors::report {

struct Series {
  std::string name;
  std::vector<double> x, y;  // of equal length; a NaN or an infinity in y interrupts the line
};

struct Chart {
  std::string title;
  std::string x_label;
  std::string y_label;
  bool share = false;  // y in [0, 1], shown in per cent
  std::vector<Series> series;
};

/// Round numbers that cover [low, high] in about `wanted` steps, from below `low` to above `high`.
std::vector<double> nice_ticks(double low, double high, int wanted);

/// An HTML figure with an inline SVG: a line a series, told apart by colour, dashes and marker alike, axes with labels,
/// a legend, and a description in words for those who do not see it. `id` must be unique on the page. Empty where no
/// series has a finite value.
std::string line_chart(const Chart& chart, const std::string& id);

}  // namespace infoscissors::report
