#include "cli/command.h"

#include "infoscissors/base/file.h"
#include "infoscissors/report/html.h"
#include "infoscissors/report/sweep.h"
#include "infoscissors/report/table.h"
#include "infoscissors/results/record.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace infoscissors::cli {
namespace {

struct ReportArguments {
  std::vector<std::string> sources;
  std::string out = "report.html";
};

// A directory without a record of its own that holds runs, or a long table: what is compared are defences over their
// seeds, not single runs.
bool is_study(const std::filesystem::path& source) {
  std::error_code ignored;
  if (std::filesystem::is_regular_file(source, ignored)) return true;
  return std::filesystem::is_directory(source, ignored) &&
         !std::filesystem::exists(source / results::kRecordFile, ignored);
}

void report_runs(const ReportArguments& arguments, const Common& common) {
  std::vector<report::RunDirectory> runs;
  for (const auto& directory : arguments.sources) runs.push_back(report::open_run(directory));
  base::write_file(arguments.out, report::render_html(runs));
  const auto comparison = report::compare(runs);
  auto document = report::to_json(comparison);
  document["file"] = arguments.out;
  emit(common, document, report::render_table(comparison) + "wrote " + arguments.out + "\n");
}

void report_study(const ReportArguments& arguments, const Common& common) {
  const auto study = study::load({arguments.sources.begin(), arguments.sources.end()});
  figure::FigureOptions options;
  options.bootstrap.seed = common.seed.value_or(0);
  base::write_file(arguments.out, report::render_sweep(study, options));
  const auto summary = study::summarise(study.rows);
  emit(common, {{"rows", study::to_json(summary)}, {"missing", study.missing.size()}, {"file", arguments.out}},
       fmt::format("{} settings, {} results missing\nwrote {}\n", summary.groups.size(), study.missing.size(),
                   arguments.out));
}

}  // namespace

void add_report(CLI::App& app, Common& common) {
  auto* command = app.add_subcommand("report", "One HTML page of a sweep, or of several runs side by side");
  command->footer(
      "Examples:\n  infoscissors report out/none out/input --out report.html\n"
      "  infoscissors report out/sweep --out sweep.html\n"
      "Run directories are compared run by run; a sweep, a directory of runs or a long table by defence and strength "
      "over\n"
      "the seeds, with figures. The page stands alone: pictures and curves are inside it and nothing is loaded from "
      "elsewhere.");
  auto arguments = std::make_shared<ReportArguments>();
  command->add_option("DIR", arguments->sources, "Run directories, in the order of the rows, or sweeps")->required();
  command->add_option("--out,-o", arguments->out, "The page")->capture_default_str();
  command->callback([arguments, &common] {
    const bool study = std::any_of(arguments->sources.begin(), arguments->sources.end(), is_study);
    study ? report_study(*arguments, common) : report_runs(*arguments, common);
  });
}

}  // namespace infoscissors::cli
