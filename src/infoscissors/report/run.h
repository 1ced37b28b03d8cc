#pragma once

#include "infoscissors/results/certificates.h"
#include "infoscissors/results/measure.h"
#include "infoscissors/results/record.h"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace infoscissors::report {

/// A run's record with the place where its image files are, and its certificates where it has some.
struct RunDirectory {
  std::filesystem::path path;
  results::RunRecord record;
  std::optional<results::Certificates> certificates = std::nullopt;
};

/// Loads what there is. Throws Error for a directory that holds no run.
RunDirectory open_run(const std::filesystem::path& path);

/// The canonical defence, with a word where it was added to a network trained without it; the directory's name for a
/// record without a defence.
std::string label(const RunDirectory& run);

using results::main_measure;
using results::measure_text;
using results::measure_title;

/// The accuracy of guessing labels, 1 / K; NaN where the record does not say how many classes there are.
double chance(const results::RunRecord& record);

}  // namespace infoscissors::report
