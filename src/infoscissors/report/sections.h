#pragma once

#include "infoscissors/report/comparison.h"
#include "infoscissors/report/run.h"

#include <string>
#include <vector>

/// The parts of the page, each a piece of HTML.
namespace infoscissors::report {

/// What the server could reconstruct and infer, with and without the defence, in words.
std::string summary_section(const std::vector<RunDirectory>& runs, const Comparison& comparison);

/// Accuracy and leakage of every run.
std::string comparison_section(const Comparison& comparison);

/// What estimates of information forbid every attacker, what was measured, and where the two contradict each other.
/// Empty where no run has certificates.
std::string certificates_section(const std::vector<RunDirectory>& runs, const Comparison& comparison);

/// Originals above the reconstructions of every run and attack. Empty where no run has images.
std::string pictures_section(const std::vector<RunDirectory>& runs, const Comparison& comparison);

/// One run: warnings, curves, all measures, configuration, provenance. `row` carries its label; `id` is unique.
std::string run_section(const RunDirectory& run, const Row& row, const std::string& id);

}  // namespace infoscissors::report
