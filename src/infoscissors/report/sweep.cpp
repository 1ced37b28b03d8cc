#include "infoscissors/report/sweep.h"

#include "infoscissors/base/error.h"
#include "infoscissors/report/escape.h"
#include "infoscissors/report/sections.h"
#include "infoscissors/report/sort_script.h"
#include "infoscissors/report/style.h"
#include "infoscissors/report/sweep_sections.h"

#include <fmt/format.h>

#include <algorithm>

namespace infoscissors::report {
namespace {

// The policy lets the browser run this one script and load nothing.
std::string head(const std::string& title) {
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src "
      "data:; "
      "script-src 'sha256-{}'\">\n<link rel=\"icon\" "
      "href=\"data:,\">\n<title>{}</title>\n<style>{}{}</style>\n</head>\n",
      kSortScriptHash, escape(title), kStyle, kSweepStyle);
}

std::string lead(const study::Study& study, const study::Summary& summary) {
  std::size_t seeds = 0;
  for (const auto& group : summary.groups) seeds = std::max(seeds, group.values("", "accuracy").size());
  std::vector<std::string> places;
  for (const auto& place : summary.places()) places.push_back(place.text());
  const auto plural = [](std::size_t count, const char* word) {
    return fmt::format("{} {}{}", count, word, count == 1 ? "" : "s");
  };
  return fmt::format(
      "<p class='lead'>{}: {}, {}, up to {}; {}</p>", escape(fmt::format("{}", fmt::join(places, "; "))),
      plural(summary.families().size(), "defence"), plural(summary.groups.size(), "setting"), plural(seeds, "seed"),
      study.missing.empty() ? "nothing is missing" : plural(study.missing.size(), "result") + " missing");
}

// What the page holds, for a reader who wants one part of it.
std::string contents() {
  return "<nav aria-label='Contents'><a href='#figures'>Figures</a> <a href='#means'>Tables</a> <a "
         "href='#missing'>Missing</a> <a href='#every-run'>Every run</a></nav>";
}

std::string certificates(const study::Study& study) {
  std::vector<RunDirectory> runs;
  for (const auto& entry : study.entries) {
    if (entry.certificates) runs.push_back({entry.path, entry.record, entry.certificates});
  }
  return runs.empty() ? std::string() : certificates_section(runs, compare(runs));
}

}  // namespace

std::string render_sweep(const study::Study& study, const figure::FigureOptions& options) {
  const auto summary = study::summarise(study.rows, options.choice);
  const std::string title = study.name.empty() ? "InfoScissors: a study" : "InfoScissors: " + study.name;
  std::string out = head(title);
  out += fmt::format("<body>\n<header><h1>{}</h1>{}{}</header>\n<main>\n", escape(title), lead(study, summary),
                     contents());
  if (summary.groups.empty()) {
    out += "<p class='warning'>No run has finished yet.</p>\n";
  } else {
    out += figures_section(study, options) + tables_section(study, summary) + grids_section(study, options);
  }
  out += certificates(study) + missing_section(study) + runs_section(study);
  return out +
         "</main>\n<footer>Written by InfoScissors. Nothing on this page is loaded from elsewhere.</footer>\n<script>" +
         kSortScript + "</script>\n</body>\n</html>\n";
}

}  // namespace infoscissors::report
