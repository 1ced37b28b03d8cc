#pragma once

#include "infoscissors/figure/plot.h"

#include <filesystem>
#include <string>

namespace infoscissors::figure {

enum class Format { svg, pdf, png };

/// By the file's ending. Throws UsageError for another than .svg, .pdf or .png.
Format format_of(const std::filesystem::path& file);

/// Size of a figure in pixels of 1/96 inch.
struct Size {
  double width = 0, height = 0;
};

/// Text as a quoted string of gnuplot's that it takes literally, whatever it holds: names come from files.
std::string quoted(const std::string& text);

/// The commands that draw the plot, behind those that choose terminal and output.
std::string script_of(const Plot& plot);
Size size_of(const Plot& plot);

/// Runs gnuplot on the commands and gives the picture's bytes. Throws Error where gnuplot is not installed or refuses.
std::string draw(const std::string& commands, const Size& size, Format format);
std::string draw(const Plot& plot, Format format);

/// A directory for files that commands name; removed with the object.
class Scratch {
 public:
  Scratch();
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace infoscissors::figure
