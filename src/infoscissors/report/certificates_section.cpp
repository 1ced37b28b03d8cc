#include "infoscissors/report/escape.h"
#include "infoscissors/report/sections.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace infoscissors::report {
namespace {

using results::CertificateRecord;
using results::RunRecord;
using results::Verdict;

// Below 0.1, digits and not decimals: floors on the squared error of pictures are small.
std::string value_text(const std::string& measure, double value) {
  if (measure == "accuracy" || !std::isfinite(value)) return measure_text("accuracy", value);
  return std::abs(value) < 0.1 ? fmt::format("{:.2g}", value) : fmt::format("{:.3f}", value);
}

// The measurement that comes nearest to the limit, or is farthest beyond it.
const Verdict& nearest(const CertificateRecord& certificate, const std::vector<Verdict>& list) {
  return *std::max_element(list.begin(), list.end(), [&](const Verdict& a, const Verdict& b) {
    return certificate.at_most ? a.measured < b.measured : a.measured > b.measured;
  });
}

std::string verdict_html(const CertificateRecord& certificate, const RunRecord& record) {
  if (violated(certificate, record)) return "<td><strong class='violated'>violated</strong></td>";
  if (certificate.vacuous) return "<td class='none'>forbids nothing</td>";
  if (verdicts(certificate, record).empty()) return "<td class='none'>nothing measured</td>";
  return "<td>holds</td>";
}

std::string row_html(const CertificateRecord& certificate, const RunRecord& record) {
  const auto list = verdicts(certificate, record);
  std::string measured = "<td class='number none'>-</td><td></td>";
  if (!list.empty()) {
    const auto& verdict = nearest(certificate, list);
    measured = fmt::format("<td class='number'>{}</td><td>{}</td>", value_text(certificate.measure, verdict.measured),
                           verdict.by == results::kDevice ? escape(verdict.by) : code(verdict.by));
  }
  return fmt::format(
      "<tr><th scope='row'>{}<small>{}</small></th><td class='number'>{}</td>{}{}<td class='assumption'>{}<p>If "
      "{}.</p></td></tr>\n",
      escape(certificate.quantity), escape(certificate.source), value_text(certificate.measure, certificate.value),
      measured, verdict_html(certificate, record), escape(certificate.premise), escape(certificate.assumption));
}

std::string run_html(const RunDirectory& run, const std::string& label) {
  std::string out =
      fmt::format("<tbody><tr class='run'><th scope='rowgroup' colspan='6'><span>{}</span></th></tr>\n", escape(label));
  for (const auto& certificate : run.certificates->list) out += row_html(certificate, run.record);
  return out + "</tbody>\n";
}

}  // namespace

std::string certificates_section(const std::vector<RunDirectory>& runs, const Comparison& comparison) {
  if (std::none_of(runs.begin(), runs.end(), [](const auto& run) { return run.certificates.has_value(); })) return {};
  std::string out =
      "<section aria-labelledby='certificates'><h2 id='certificates'>Certificates</h2>\n"
      "<p>What estimates of the information on the wire forbid every attacker, each under its assumption. Beside it "
      "the "
      "measurement that comes nearest. <strong class='violated'>violated</strong>: the measurement beats the "
      "certificate, so its assumption does not hold and it must not be relied on. One that holds is not thereby "
      "true.</p>\n"
      "<div class='scroll' tabindex='0' role='region' aria-labelledby='certificates'><table "
      "class='certificates'><thead><tr><th "
      "scope='col'>Statement</th><th scope='col' class='number'>Limit</th><th scope='col' class='number'>Measured</th>"
      "<th scope='col'>By</th><th scope='col'>Verdict</th><th scope='col'>From, and if</th></tr></thead>\n";
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (runs[i].certificates) out += run_html(runs[i], comparison.rows[i].label);
  }
  return out + "</table></div></section>\n";
}

}  // namespace infoscissors::report
