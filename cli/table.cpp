#include "cli/choice.h"
#include "cli/command.h"

#include "infoscissors/base/error.h"
#include "infoscissors/base/file.h"
#include "infoscissors/study/study.h"
#include "infoscissors/study/summary.h"
#include "infoscissors/study/table.h"

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace infoscissors::cli {
namespace {

using base::Json;

struct TableArguments {
  std::vector<std::string> sources;
  study::Choice choice;
  std::string format = "markdown";
  std::string out;
  bool whole = false;
  bool hypervolume = false;
  std::vector<std::string> compared;
  std::vector<double> reference;
};

/// One result in every format it can be printed in.
struct Printed {
  Json document;
  std::string csv;
  study::Table table;  // for people
};

Printed long_table(const study::Study& study) {
  return {{{"rows", study::to_json(study.rows)}}, study::to_csv(study.rows), {}};
}

Printed summary_table(const study::Summary& summary, const std::string& format) {
  return {{{"rows", study::to_json(summary)}},
          study::to_csv(summary),
          study::leakage_table(summary, format == "markdown" ? "±" : "+-")};
}

Printed volumes_table(const study::Summary& summary, const study::HypervolumeOptions& options) {
  const auto values = study::hypervolumes(summary, options);
  auto table = study::hypervolume_table(values, options);
  return {study::to_json(values, options), study::to_csv(table), table};
}

Printed comparison(const study::Summary& summary, const TableArguments& arguments,
                   const study::HypervolumeOptions& options) {
  const auto& a = arguments.compared[0];
  const auto& b = arguments.compared[1];
  const auto list = study::compare(summary, a, b, options);
  auto table = study::comparison_table(list, a, b);
  return {{{"a", a}, {"b", b}, {"comparisons", study::to_json(list)}}, study::to_csv(table), table};
}

void check(const TableArguments& arguments) {
  if (arguments.whole + arguments.hypervolume + !arguments.compared.empty() > 1)
    throw base::UsageError("--long, --hypervolume and --compare are different tables; choose one");
  if (arguments.whole && (arguments.format == "markdown" || arguments.format == "latex"))
    throw base::UsageError("--long is a table for programs; choose --format csv or json");
}

Printed make(const TableArguments& arguments, const Common& common) {
  const auto study = study::load({arguments.sources.begin(), arguments.sources.end()});
  if (arguments.whole) return long_table(study);
  const auto summary = study::summarise(study.rows, arguments.choice);
  study::HypervolumeOptions options;
  options.bootstrap.seed = common.seed.value_or(0);
  if (!arguments.reference.empty()) options.reference = {arguments.reference[0], arguments.reference[1]};
  if (arguments.hypervolume) return volumes_table(summary, options);
  if (!arguments.compared.empty()) return comparison(summary, arguments, options);
  return summary_table(summary, arguments.format);
}

std::string text_of(const Printed& printed, const std::string& format) {
  if (format == "json") return printed.document.dump(2) + "\n";
  if (format == "csv") return printed.csv;
  return format == "latex" ? study::to_latex(printed.table) : study::to_markdown(printed.table);
}

void print(const TableArguments& arguments, const Common& common) {
  check(arguments);
  const auto printed = make(arguments, common);
  const auto text = text_of(printed, arguments.format);
  if (arguments.out.empty()) return emit(common, printed.document, text);
  base::write_file(arguments.out, text);
  emit(common, {{"file", arguments.out}}, "wrote " + arguments.out + "\n");
}

}  // namespace

void add_table(CLI::App& app, Common& common) {
  auto* command = app.add_subcommand("table", "Means with intervals over the seeds of a sweep or of several runs");
  command->footer(
      "Examples:\n  infoscissors table out/sweep\n"
      "  infoscissors table out/sweep --attack ka --attack pmc --format latex --out table1.tex\n"
      "  infoscissors table out/sweep --long --format csv --out results.csv\n"
      "  infoscissors table results.csv --compare infoscissors an\n"
      "  infoscissors table out/sweep --hypervolume --reference 0.1 1\n"
      "Sources are sweep directories, run directories, directories of runs, and long tables made with --long.");
  auto arguments = std::make_shared<TableArguments>();
  command->add_option("DIR", arguments->sources, "Sweeps, runs or long tables (.csv)")->required();
  command->add_option("--format", arguments->format, "markdown, csv, latex or json")
      ->check(CLI::IsMember({"markdown", "csv", "latex", "json"}))
      ->capture_default_str();
  command->add_option("--out,-o", arguments->out, "File instead of standard output");
  command->add_flag("--long", arguments->whole, "Every number of every run, one a line");
  command->add_flag("--hypervolume", arguments->hypervolume, "Each defence's curve as one number");
  command
      ->add_option("--compare", arguments->compared,
                   "Two defences, paired by seed: two specs, or two families by hypervolume")
      ->expected(2)
      ->transform(recorded_defense)
      ->type_name("A B");
  command->add_option("--reference", arguments->reference, "Of the hypervolume; default 0 1")
      ->expected(2)
      ->type_name("ACCURACY LEAKAGE");
  add_choice(*command, arguments->choice);
  command->callback([arguments, &common] { print(*arguments, common); });
}

}  // namespace infoscissors::cli
