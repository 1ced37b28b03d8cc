#include "infoscissors/results/measure.h"

#include <fmt/format.h>

#include <cmath>
#include <map>

namespace infoscissors::results {
namespace {

// How a measure is printed: times `factor`, with `decimals`, before `unit`.
struct Style {
  double factor = 1;
  int decimals = 3;
  const char* unit = "";
};

Style style_of(const std::string& measure) {
  if (measure.ends_with("accuracy")) return {100, 1, " %"};
  if (measure == "psnr") return {1, 1, ""};
  if (measure == "mse") return {1, 4, ""};
  return {};
}

}  // namespace

std::string main_measure(const std::string& goal) {
  return goal == "input" ? "ssim" : "accuracy";
}

std::string measure_title(const std::string& measure) {
  static const std::map<std::string, std::string> kTitles = {
      {"accuracy", "Accuracy"},
      {"class_accuracy", "Class recognised"},
      {"cross_entropy", "Cross-entropy, nats"},
      {"ssim", "SSIM"},
      {"psnr", "PSNR, dB"},
      {"mse", "MSE"},
  };
  const auto found = kTitles.find(measure);
  return found == kTitles.end() ? measure : found->second;
}

std::string measure_text(const std::string& measure, double value) {
  if (!std::isfinite(value)) return "-";
  const Style style = style_of(measure);
  return fmt::format("{:.{}f}{}", style.factor * value, style.decimals, style.unit);
}

std::string measure_text(const std::string& measure, double value, double half_width, const std::string& sign) {
  if (!std::isfinite(value) || !std::isfinite(half_width)) return measure_text(measure, value);
  const Style style = style_of(measure);
  return fmt::format("{:.{}f} {} {:.{}f}{}", style.factor * value, style.decimals, sign, style.factor * half_width,
                     style.decimals, style.unit);
}

}  // namespace infoscissors::results
