#pragma once

#include "infoscissors/figure/figures.h"
#include "infoscissors/study/study.h"
#include "infoscissors/study/table.h"

#include <string>
#include <vector>

namespace infoscissors::report {

/// One HTML page that stands alone for a whole study: every figure as inline SVG, tables that sort by a click (the only
/// script, named by its hash in the page's policy), grids of pictures, certificates, what is missing, every run with
/// its command, configuration and machine. `sources` stand in the commands it shows. Where gnuplot is missing, or a
/// figure cannot be drawn from these runs, the page says so in its place. Throws UsageError for a study without runs.
std::string render_sweep(const study::Study& study, const figure::FigureOptions& options = {});

}  // namespace infoscissors::report
