#pragma once

#include "infoscissors/figure/figures.h"
#include "infoscissors/study/study.h"
#include "infoscissors/study/table.h"

#include <string>

/// The parts of a sweep's page, each a piece of HTML.
namespace infoscissors::report {

/// The figures that these runs can show, with caption and command, and why the others cannot be drawn.
std::string figures_section(const study::Study& study, const figure::FigureOptions& options);

/// Pictures by defence and strength, a grid for each data set; empty where no run left any.
std::string grids_section(const study::Study& study, const figure::FigureOptions& options);

/// Means with intervals, hypervolumes, and InfoScissors paired with every other family.
std::string tables_section(const study::Study& study, const study::Summary& summary);

/// What a sweep planned and is not there; says so where nothing is missing.
std::string missing_section(const study::Study& study);

/// Every run with its hash, status, command, and the machines and configurations they had.
std::string runs_section(const study::Study& study);

/// A table of text whose columns sort by a click.
std::string sortable_table(const study::Table& table, const std::string& id, const std::string& label);

/// "Command" with the text to copy.
std::string command_html(const std::string& command);

/// A word of a shell command, quoted where it must be.
std::string shell_word(const std::string& text);

/// The study's sources as words.
std::string source_words(const study::Study& study);

/// gnuplot's SVG for a place inside a page: without prolog, ids its own, described for those who do not see it.
std::string inline_svg(std::string svg, const std::string& id, const std::string& description);

}  // namespace infoscissors::report
