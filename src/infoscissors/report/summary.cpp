#include "infoscissors/report/escape.h"
#include "infoscissors/report/sections.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace infoscissors::report {
namespace {

std::string data_name(const RunDirectory& run) {
  const auto name = run.record.data.find("name");
  return name != run.record.data.end() && name->is_string() ? name->get<std::string>() : "unnamed data";
}

// The row of the undefended run on the same data, to which a defended one is compared.
const Row* undefended(const std::vector<RunDirectory>& runs, const Comparison& comparison, std::size_t index) {
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (i != index && label(runs[i]) == "none" && data_name(runs[i]) == data_name(runs[index]))
      return &comparison.rows[i];
  }
  return nullptr;
}

std::string instead_of(const Comparison& comparison, const Row* reference, const std::string& goal) {
  const int best = reference == nullptr ? -1 : strongest(comparison, *reference, goal);
  if (best < 0) return {};
  return fmt::format(" (without a defence: {})", measure_text(main_measure(goal), reference->cells[best].value));
}

std::string leakage(const Comparison& comparison, const Row& row, const Row* reference) {
  std::string out;
  if (const int best = strongest(comparison, row, "input"); best >= 0) {
    out += fmt::format(" Its images can be reconstructed with a similarity (SSIM) of <strong>{}</strong>{} by {}.",
                       measure_text("ssim", row.cells[best].value), instead_of(comparison, reference, "input"),
                       code(comparison.columns[best].spec));
  }
  if (const int best = strongest(comparison, row, "prediction"); best >= 0) {
    out += fmt::format(" The server infers <strong>{}</strong> of the labels{} with {}.",
                       measure_text("accuracy", row.cells[best].value), instead_of(comparison, reference, "prediction"),
                       code(comparison.columns[best].spec));
  }
  return out.empty() ? " No attack was run against it." : out;
}

std::string violations(const RunDirectory& run) {
  if (!run.certificates) return {};
  const auto& list = run.certificates->list;
  const auto count = std::count_if(list.begin(), list.end(),
                                   [&](const auto& certificate) { return violated(certificate, run.record); });
  if (count == 0) return {};
  return fmt::format(" What was measured contradicts <strong>{} of its {} certificates</strong>.", count, list.size());
}

std::string accuracy(const Row& row, const Row* reference) {
  if (!std::isfinite(row.accuracy)) return "the accuracy has not been measured.";
  std::string out = fmt::format("the device is right on <strong>{}</strong> of the test images",
                                measure_text("accuracy", row.accuracy));
  if (reference != nullptr && std::isfinite(reference->accuracy)) {
    const double points = 100 * (row.accuracy - reference->accuracy);
    out += std::abs(points) < 0.05 ? ", as without a defence"
                                   : fmt::format(", {:.1f} points {} than without a defence", std::abs(points),
                                                 points < 0 ? "less" : "more");
  }
  return out + ".";
}

}  // namespace

std::string summary_section(const std::vector<RunDirectory>& runs, const Comparison& comparison) {
  std::set<std::string> data;
  for (const auto& run : runs) data.insert(data_name(run));
  std::string out = "<section aria-labelledby='summary'><h2 id='summary'>Summary</h2>\n";
  out += fmt::format(
      "<p>A device keeps the first and the last layers of a network and a server computes the rest. The server is "
      "curious: it tries to reconstruct the device's images from what it receives, and to infer their labels from what "
      "it returns. Data: {}",
      escape(fmt::format("{}", fmt::join(data, ", "))));
  if (const double guess = chance(runs.front().record); data.size() == 1 && std::isfinite(guess)) {
    out += fmt::format("; guessing a label is right in {} of the cases", measure_text("accuracy", guess));
  }
  out += ".</p>\n<ul class='findings'>";
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const Row& row = comparison.rows[i];
    const bool plain = label(runs[i]) == "none";
    const Row* reference = plain ? nullptr : undefended(runs, comparison, i);
    const std::string subject = plain && row.label == "none" ? "Without a defence" : "With " + code(row.label);
    out += fmt::format("<li>{} {}{}{}</li>\n", subject, accuracy(row, reference), leakage(comparison, row, reference),
                       violations(runs[i]));
  }
  return out +
         "</ul>\n<p class='note'>SSIM is 1 for identical images and near 0 for unrelated ones. The figures hold for "
         "the "
         "attacks that were run; they bound no stronger one.</p></section>\n";
}

}  // namespace infoscissors::report
