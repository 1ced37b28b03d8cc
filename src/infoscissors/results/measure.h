#pragma once

#include <string>

namespace infoscissors::results {

/// What an attack is judged by: "ssim" for reconstructions, "accuracy" for inferred labels. For both, higher is worse
/// for the defender.
std::string main_measure(const std::string& goal);

/// "SSIM", "PSNR, dB": a measure as a table's head shows it.
std::string measure_title(const std::string& measure);

/// A share as "89.9 %", other measures with three decimals, NaN as "-".
std::string measure_text(const std::string& measure, double value);

/// The same with the half width of its interval, "89.9 +- 0.4 %"; without where that is not finite. `sign` stands
/// between them.
std::string measure_text(const std::string& measure, double value, double half_width, const std::string& sign = "+-");

}  // namespace infoscissors::results
