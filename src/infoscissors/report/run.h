#pragma once

#include "infoscissors/results/certificates.h"
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

/// What an attack is judged by: "ssim" for reconstructions, "accuracy" for inferred labels. For both, higher is worse
/// for the defender.
std::string main_measure(const std::string& goal);

/// "SSIM", "PSNR, dB": a measure as a table's head shows it.
std::string measure_title(const std::string& measure);

/// A share as "89.9 %", other measures with three decimals, NaN as "-".
std::string measure_text(const std::string& measure, double value);

/// The accuracy of guessing labels, 1 / K; NaN where the record does not say how many classes there are.
double chance(const results::RunRecord& record);

}  // namespace infoscissors::report
