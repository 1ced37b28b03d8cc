#pragma once

#include "infoscissors/study/summary.h"

#include <CLI/CLI.hpp>

#include <string>

namespace infoscissors::cli {

/// --dataset, --backbone, --cut, --defense and --attack: the results that a table or figure is made of.
void add_choice(CLI::App& command, study::Choice& choice);

/// A defence the way results carry it, so that an(scale=3), an( scale = 3.0 ) and what a run recorded are the same:
/// defaults left out, numbers as they are printed. What no registry knows stays as it is, for results may come from
/// elsewhere.
std::string recorded_defense(const std::string& text);

}  // namespace infoscissors::cli
