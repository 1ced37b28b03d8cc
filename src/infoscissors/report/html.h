#pragma once

#include "infoscissors/report/run.h"

#include <filesystem>
#include <string>
#include <vector>

namespace infoscissors::report {

/// One HTML page that stands alone (styles, pictures and curves are inside it; nothing is fetched, no script runs) for
/// one or several runs: a summary in words, accuracy against leakage, originals beside reconstructions, training
/// curves, configuration and provenance. Throws Error for image files that are missing or malformed, UsageError for an
/// empty list. Without the component "codecs" the page says so in the place of the pictures.
std::string render_html(const std::vector<RunDirectory>& runs, const std::string& title = "InfoScissors report");

/// Reads the run directories, renders and writes the page, atomically. Throws Error for a directory that holds no run
/// and for a file that cannot be written.
void write_report(const std::vector<std::filesystem::path>& directories, const std::filesystem::path& file);

}  // namespace infoscissors::report
