#include "infoscissors/figure/gnuplot.h"

#include "infoscissors/base/error.h"
#include "infoscissors/base/file.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <system_error>

extern char** environ;

namespace infoscissors::figure {
namespace {

using base::Error;
namespace fs = std::filesystem;

constexpr double kPixelsPerInch = 96;
constexpr double kFontPixels = 13;
constexpr int kPngScale = 2;  // for print and for screens with small pixels

std::string terminal(Format format, const Size& size) {
  switch (format) {
    case Format::svg:
      // Only generic fonts: the file is read on machines whose fonts are not known.
      return fmt::format(
          "svg size {:.0f},{:.0f} dynamic noenhanced font 'sans-serif,{}' background '#ffffff' linewidth 1 standalone",
          size.width, size.height, kFontPixels);
    case Format::pdf:
      return fmt::format(
          "pdfcairo size {:.4f},{:.4f} noenhanced font 'sans-serif,{:.2f}' fontscale 1 linewidth 0.9 background "
          "'#ffffff'",
          size.width / kPixelsPerInch, size.height / kPixelsPerInch, kFontPixels * 72 / kPixelsPerInch);
    default:
      return fmt::format(
          "pngcairo size {:.0f},{:.0f} noenhanced font 'sans-serif,{:.2f}' fontscale {} linewidth {} pointscale {} "
          "background '#ffffff'",
          kPngScale * size.width, kPngScale * size.height, kFontPixels * 72 / kPixelsPerInch, kPngScale,
          0.9 * kPngScale, kPngScale);
  }
}

// gnuplot with its input from `script` and everything it says in `messages`; its exit status.
int run_gnuplot(const fs::path& script, const fs::path& messages) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, script.c_str(), O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, messages.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  // -d: nobody's ~/.gnuplot changes a figure.
  std::array<char*, 3> arguments = {const_cast<char*>("gnuplot"), const_cast<char*>("-d"), nullptr};
  pid_t child = 0;
  const int failed = ::posix_spawnp(&child, "gnuplot", &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed == ENOENT) throw Error("figures are drawn by gnuplot, which was not found: install gnuplot-nox");
  if (failed != 0) throw Error("gnuplot cannot be started: {}", std::strerror(failed));
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) throw Error("gnuplot was lost: {}", std::strerror(errno));
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// gnuplot names every plot in a title, which browsers show as a tip; the names say nothing.
std::string without_titles(std::string svg) {
  for (const std::string open : {"<title>gnuplot_plot_", "<title>Gnuplot"}) {
    for (auto at = svg.find(open); at != std::string::npos; at = svg.find(open, at)) {
      const auto end = svg.find("</title>", at);
      if (end == std::string::npos) break;
      svg.erase(at, end + 8 - at);
    }
  }
  return svg;
}

std::string first_complaint(const std::string& messages) {
  for (std::size_t at = 0; at < messages.size();) {
    const auto end = std::min(messages.find('\n', at), messages.size());
    const auto line = messages.substr(at, end - at);
    if (line.find_first_not_of(" \t^") != std::string::npos) return line;
    at = end + 1;
  }
  return "it says nothing";
}

}  // namespace

Format format_of(const fs::path& file) {
  const auto ending = file.extension().string();
  if (ending == ".svg") return Format::svg;
  if (ending == ".pdf") return Format::pdf;
  if (ending == ".png") return Format::png;
  throw base::UsageError("{}: a figure is written as .svg, .pdf or .png", file.string());
}

// Within single quotes gnuplot substitutes nothing; a quote is doubled. Where the text begins with quotes, gnuplot
// would take the first pair for an empty string, so they stand in a string of their own.
std::string quoted(const std::string& text) {
  const auto leading = std::min(text.find_first_not_of('\''), text.size());
  std::string out = leading > 0 ? '"' + text.substr(0, leading) + "\".'" : "'";
  for (const char c : text.substr(leading)) {
    if (c == '\'') {
      out += "''";
    } else {
      out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
  }
  return out + "'";
}

Scratch::Scratch() {
  std::string pattern = (fs::temp_directory_path() / "infoscissors-figure-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr)
    throw Error("{}: no temporary directory can be made: {}", pattern, std::strerror(errno));
  path_ = pattern;
}

Scratch::~Scratch() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

std::string draw(const std::string& commands, const Size& size, Format format) {
  const Scratch scratch;
  const auto picture = scratch.path() / "picture";
  const auto script = scratch.path() / "script";
  const auto messages = scratch.path() / "messages";
  base::write_file(script, fmt::format("set encoding utf8\nset terminal {}\nset output {}\n{}\nunset output\n",
                                       terminal(format, size), quoted(picture.string()), commands));
  const int status = run_gnuplot(script, messages);
  std::error_code ignored;
  if (status != 0 || !fs::exists(picture, ignored) || fs::file_size(picture, ignored) == 0)
    throw Error("gnuplot cannot draw the figure: {}", first_complaint(base::read_file(messages)));
  auto bytes = base::read_file(picture);
  return format == Format::svg ? without_titles(std::move(bytes)) : bytes;
}

std::string draw(const Plot& plot, Format format) {
  return draw(script_of(plot), size_of(plot), format);
}

}  // namespace infoscissors::figure
