#include "cli/command.h"

#include "infoscissors/base/file.h"
#include "infoscissors/report/html.h"
#include "infoscissors/report/table.h"

#include <memory>
#include <string>
#include <vector>

namespace infoscissors::cli {
namespace {

struct ReportArguments {
  std::vector<std::string> directories;
  std::string out = "report.html";
};

}  // namespace

void add_report(CLI::App& app, Common& common) {
  auto* command = app.add_subcommand("report", "Compare runs in a table and in one HTML page");
  command->footer(
      "Example:\n  infoscissors report out/none out/input --out report.html\n"
      "The page stands alone: pictures and curves are inside it and nothing is loaded from elsewhere.");
  auto arguments = std::make_shared<ReportArguments>();
  command->add_option("DIR", arguments->directories, "Run directories, in the order of the rows")->required();
  command->add_option("--out,-o", arguments->out, "The page")->capture_default_str();
  command->callback([arguments, &common] {
    std::vector<report::RunDirectory> runs;
    for (const auto& directory : arguments->directories) runs.push_back(report::open_run(directory));
    base::write_file(arguments->out, report::render_html(runs));
    const auto comparison = report::compare(runs);
    auto document = report::to_json(comparison);
    document["file"] = arguments->out;
    emit(common, document, report::render_table(comparison) + "wrote " + arguments->out + "\n");
  });
}

}  // namespace infoscissors::cli
