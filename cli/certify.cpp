#include "cli/run_options.h"

#include "infoscissors/base/error.h"
#include "infoscissors/experiment/certify.h"
#include "infoscissors/mi/pairs.h"

namespace infoscissors::cli {
namespace {

using results::CertificateRecord;
using results::RunRecord;

std::string limit(const CertificateRecord& certificate, double value) {
  return certificate.measure == "accuracy" ? fmt::format("{:.1f} %", 100 * value) : fmt::format("{:.4g}", value);
}

std::string state(const CertificateRecord& certificate, const RunRecord& record) {
  if (violated(certificate, record)) return "VIOLATED";
  if (certificate.vacuous) return "forbids nothing";
  return verdicts(certificate, record).empty() ? "nothing measured" : "holds";
}

std::string text_of(const CertificateRecord& certificate, const RunRecord& record) {
  const auto unit = certificate.measure == "accuracy" ? "" : " " + certificate.unit;
  auto text = fmt::format("\n{}: {} {}{}: {}\n  from  {}\n  if    {}\n  after {}\n", certificate.name,
                          certificate.quantity, limit(certificate, certificate.value), unit, state(certificate, record),
                          certificate.premise, certificate.assumption, certificate.source);
  for (const auto& verdict : verdicts(certificate, record)) {
    text += fmt::format("  {:<10} {} (seed {}){}\n", limit(certificate, verdict.measured), verdict.by, verdict.seed,
                        verdict.violated ? "  VIOLATES it" : "");
  }
  return text;
}

std::string text_of(const results::Certificates& certificates, const RunRecord& record) {
  std::string text = fmt::format("{}: {} held-out images fitted to, {} estimated on\n", record.defense,
                                 certificates.fitted_images, certificates.estimated_images);
  for (const auto& certificate : certificates.list) text += text_of(certificate, record);
  return text;
}

}  // namespace

void add_certify(CLI::App& app, Common& common) {
  auto* command = app.add_subcommand("certify", "Say what the information on a run's wire forbids every attacker");
  command->footer(
      "Examples:\n  infoscissors certify out/input\n"
      "  infoscissors certify out/input --generator 'ka(decoder=res)' --images 8000 --json\n"
      "From upper bounds of the information, estimated on images of the validation and test split: Fano's ceiling on\n"
      "the accuracy and a cross-entropy floor for the prediction, two squared-error floors for the input. Each states\n"
      "its assumption and is compared with the run's recorded attacks: one that an attack beats is violated, that is,\n"
      "its assumption does not hold. Kept in the run's certificates.json; `report` shows them.");
  struct Arguments {
    std::string directory;
    experiment::CertifyOptions options;
  };
  auto arguments = std::make_shared<Arguments>();
  auto& options = arguments->options;
  command->add_option("run", arguments->directory, "Run directory with a trained network")->required();
  command->add_option("--estimator", options.estimator, "Upper bound of I(v; y) behind Fano's inequality")
      ->capture_default_str();
  command
      ->add_option("--generator", options.generator,
                   "Attack whose decoder, trained on the fitted images, stands for q(x|r)")
      ->capture_default_str();
  command->add_option("--held-out", options.held_out, "Share of the images that is not fitted but estimated on")
      ->capture_default_str();
  command->add_option("--images", options.images, "Held-out images, at most")
      ->check(CLI::Range(2 * mi::kFewestPairs, std::int64_t{1} << 30))
      ->capture_default_str();
  command->callback([arguments, &common] {
    experiment::validate(arguments->options);
    auto run = experiment::Run::open(arguments->directory, runtime_of(common));
    const auto& record = run.record();
    arguments->options.seed = common.seed.value_or(record.seed);
    const auto certificates = experiment::certify(run.trained(), record.config_hash, arguments->options);
    results::save_certificates(run.directory(), certificates, record);
    emit(common, results::to_json(certificates, record), text_of(certificates, record));
  });
}

}  // namespace infoscissors::cli
