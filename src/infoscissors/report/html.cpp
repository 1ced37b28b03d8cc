#include "infoscissors/report/html.h"

#include "infoscissors/base/error.h"
#include "infoscissors/base/file.h"
#include "infoscissors/report/escape.h"
#include "infoscissors/report/sections.h"
#include "infoscissors/report/style.h"

#include <fmt/format.h>

namespace infoscissors::report {
namespace {

// The policy makes the browser itself refuse scripts and everything from outside the page.
constexpr const char* kHead = R"html(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<link rel="icon" href="data:,">
)html";

}  // namespace

std::string render_html(const std::vector<RunDirectory>& runs, const std::string& title) {
  if (runs.empty()) throw base::UsageError("a report needs at least one run directory");
  const Comparison comparison = compare(runs);
  std::string out = kHead;
  out += fmt::format("<title>{0}</title>\n<style>{1}</style>\n</head>\n<body>\n<header><h1>{0}</h1>", escape(title),
                     kStyle);
  out += fmt::format("<p class='lead'>{} run{}, {} attack{}</p></header>\n<main>\n", runs.size(),
                     runs.size() == 1 ? "" : "s", comparison.columns.size(), comparison.columns.size() == 1 ? "" : "s");
  out += summary_section(runs, comparison) + comparison_section(comparison);
  out += pictures_section(runs, comparison) + certificates_section(runs, comparison);
  out += "<section aria-labelledby='runs'><h2 id='runs'>The runs</h2>\n";
  for (std::size_t i = 0; i < runs.size(); ++i)
    out += run_section(runs[i], comparison.rows[i], fmt::format("run{}", i + 1));
  out += "</section>\n</main>\n";
  return out +
         "<footer>Written by InfoScissors. Nothing on this page is loaded from elsewhere.</footer>\n</body>\n</html>\n";
}

void write_report(const std::vector<std::filesystem::path>& directories, const std::filesystem::path& file) {
  std::vector<RunDirectory> runs;
  runs.reserve(directories.size());
  for (const auto& directory : directories) runs.push_back(open_run(directory));
  base::write_file(file, render_html(runs));
}

}  // namespace infoscissors::report
