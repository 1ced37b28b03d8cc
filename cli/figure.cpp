#include "cli/choice.h"
#include "cli/command.h"

#include "infoscissors/base/error.h"
#include "infoscissors/base/file.h"
#include "infoscissors/figure/figures.h"

#include <memory>
#include <string>
#include <vector>

namespace infoscissors::cli {
namespace {

struct FigureArguments {
  std::string name;
  std::vector<std::string> sources;
  std::string out;
  figure::FigureOptions options;
};

void draw(FigureArguments& arguments, const Common& common) {
  const auto format = figure::format_of(arguments.out);
  arguments.options.bootstrap.seed = common.seed.value_or(0);
  const auto study = study::load({arguments.sources.begin(), arguments.sources.end()});
  const auto drawing = figure::draw_figure(arguments.name, study, arguments.options, format);
  base::write_file(arguments.out, drawing.bytes);
  emit(common, {{"figure", arguments.name}, {"file", arguments.out}, {"caption", drawing.caption}},
       drawing.caption + "\nwrote " + arguments.out + "\n");
}

std::string names() {
  std::string text;
  for (const auto& doc : figure::figures()) text += fmt::format("  {:<8} {}\n", doc.name, doc.summary);
  return text;
}

}  // namespace

void add_figure(CLI::App& app, Common& common) {
  auto* command = app.add_subcommand("figure", "Draw a figure of a sweep or of several runs");
  command->footer(
      "Figures:\n" + names() +
      "Examples:\n  infoscissors figure 4 out/sweep --out figure4.pdf\n"
      "  infoscissors figure 3 out/sweep --dataset cifar10 --defense infoscissors --images 6 --out figure3.png\n"
      "  infoscissors figure 5 results.csv --out figure5.svg\n"
      "Prints the caption: what points and bands are, and how choices were made. Drawn by gnuplot.");
  auto arguments = std::make_shared<FigureArguments>();
  auto& options = arguments->options;
  command->add_option("FIGURE", arguments->name, "3, 4, 5, 7, 8, budget or plane")->required();
  command->add_option("DIR", arguments->sources, "Sweeps, runs or long tables (.csv)")->required();
  command->add_option("--out,-o", arguments->out, "File: .svg, .pdf or .png")->required();
  add_choice(*command, options.choice);
  command->add_option("--images", options.images, "Columns of a grid")->check(CLI::Range(1, 64))->capture_default_str();
  command->add_option("--tolerance", options.tolerance, "budget: accuracy that a selected strength may lose")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  command->add_option("--resamples", options.bootstrap.resamples, "Of the bootstrap")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  command->callback([arguments, &common] { draw(*arguments, common); });
}

}  // namespace infoscissors::cli
