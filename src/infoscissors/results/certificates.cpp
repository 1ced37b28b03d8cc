#include "infoscissors/results/certificates.h"

#include "infoscissors/base/error.h"
#include "infoscissors/results/node.h"

#include <algorithm>
#include <cmath>

namespace infoscissors::results {
namespace {

using base::Error;
using base::Json;

std::int64_t class_count(const RunRecord& record) {
  const auto classes = record.data.find("classes");
  return classes != record.data.end() && classes->is_array() ? static_cast<std::int64_t>(classes->size()) : 0;
}

double value_of(const std::map<std::string, double>& measures, const std::string& name) {
  const auto found = measures.find(name);
  return found == measures.end() ? std::numeric_limits<double>::quiet_NaN() : found->second;
}

// Probability a on the guessed class, the rest spread evenly: the best that can be made of the guesses alone.
double guess_cross_entropy(double accuracy, std::int64_t classes) {
  if (classes < 2 || !(accuracy >= 0 && accuracy <= 1)) return std::numeric_limits<double>::quiet_NaN();
  const double error = 1 - accuracy;
  const auto nats = [](double p) { return p > 0 ? -p * std::log(p) : 0.0; };
  return nats(accuracy) + nats(error) + error * std::log(static_cast<double>(classes - 1));
}

double measured(const CertificateRecord& certificate, const AttackRecord& attack, const RunRecord& record) {
  if (certificate.measure == "cross_entropy")
    return guess_cross_entropy(value_of(attack.measures, "accuracy"), class_count(record));
  return value_of(attack.measures, certificate.measure);
}

Verdict judge(const CertificateRecord& certificate, std::string by, std::uint64_t seed, double value) {
  return {std::move(by), seed, value, certificate.at_most ? value > certificate.value : value < certificate.value};
}

Json to_json(const CertificateRecord& certificate, const RunRecord& record) {
  Json judged = Json::array();
  for (const auto& verdict : verdicts(certificate, record)) {
    judged.push_back({{"by", verdict.by},
                      {"seed", verdict.seed},
                      {"measured", base::real(verdict.measured)},
                      {"violated", verdict.violated}});
  }
  return {{"name", certificate.name},
          {"goal", certificate.goal},
          {"measure", certificate.measure},
          {"at_most", certificate.at_most},
          {"value", base::real(certificate.value)},
          {"vacuous", certificate.vacuous},
          {"quantity", certificate.quantity},
          {"unit", certificate.unit},
          {"assumption", certificate.assumption},
          {"source", certificate.source},
          {"premise", certificate.premise},
          {"basis", certificate.basis},
          {"violated", violated(certificate, record)},
          {"verdicts", std::move(judged)}};
}

CertificateRecord parse_certificate(const Node& node) {
  CertificateRecord certificate;
  certificate.name = node.at("name").text();
  certificate.goal = node.at("goal").choice({"input", "prediction"});
  certificate.measure = node.at("measure").choice({"accuracy", "cross_entropy", "mse"});
  certificate.at_most = node.at("at_most").boolean();
  certificate.value = node.at("value").real();
  certificate.vacuous = node.at("vacuous").boolean();
  certificate.quantity = node.at("quantity").text();
  certificate.unit = node.at("unit").text();
  certificate.assumption = node.at("assumption").text();
  certificate.source = node.at("source").text();
  certificate.premise = node.at("premise").text();
  certificate.basis = node.at("basis").object();
  return certificate;
}

}  // namespace

std::vector<Verdict> verdicts(const CertificateRecord& certificate, const RunRecord& record) {
  std::vector<Verdict> list;
  if (certificate.goal == "prediction") {
    const double own = value_of(record.measures, certificate.measure);
    if (std::isfinite(own)) list.push_back(judge(certificate, kDevice, record.seed, own));
  }
  for (const auto& attack : record.attacks) {
    if (attack.goal != certificate.goal) continue;
    const double value = measured(certificate, attack, record);
    if (std::isfinite(value)) list.push_back(judge(certificate, attack.spec, attack.seed, value));
  }
  return list;
}

bool violated(const CertificateRecord& certificate, const RunRecord& record) {
  const auto list = verdicts(certificate, record);
  return std::any_of(list.begin(), list.end(), [](const Verdict& verdict) { return verdict.violated; });
}

Json to_json(const Certificates& certificates, const RunRecord& record) {
  Json list = Json::array();
  for (const auto& certificate : certificates.list) list.push_back(to_json(certificate, record));
  return {{"schema", kCertificateSchema},
          {"config_hash", certificates.config_hash},
          {"seed", certificates.seed},
          {"version", certificates.version},
          {"commit", certificates.commit},
          {"fitted_images", certificates.fitted_images},
          {"estimated_images", certificates.estimated_images},
          {"certificates", std::move(list)},
          {"warnings", certificates.warnings}};
}

Certificates certificates_from_json(const Json& document, const std::string& file) {
  const Node root(document, file, "");
  const auto schema = root.at("schema").integer(1);
  if (schema > kCertificateSchema) {
    throw Error("{}: has schema {}, but this version reads up to {}: use a newer one", file, schema,
                kCertificateSchema);
  }
  Certificates certificates;
  certificates.config_hash = root.at("config_hash").text();
  certificates.seed = root.at("seed").natural();
  certificates.version = root.at("version").text();
  certificates.commit = root.at("commit").text();
  certificates.fitted_images = root.at("fitted_images").integer(0);
  certificates.estimated_images = root.at("estimated_images").integer(0);
  for (const auto& item : root.at("certificates").items()) certificates.list.push_back(parse_certificate(item));
  for (const auto& item : root.at("warnings").items()) certificates.warnings.push_back(item.text());
  return certificates;
}

std::optional<Certificates> load_certificates(const std::filesystem::path& directory, const RunRecord& record) {
  const auto file = directory / kCertificateFile;
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) return std::nullopt;
  auto certificates = certificates_from_json(base::read_json(file), file.string());
  if (certificates.config_hash != record.config_hash) {
    throw Error("{}: belongs to another run ({} instead of {}); remove it and certify anew", file.string(),
                certificates.config_hash.substr(0, 12), record.config_hash.substr(0, 12));
  }
  return certificates;
}

void save_certificates(const std::filesystem::path& directory, const Certificates& certificates,
                       const RunRecord& record) {
  base::write_json(directory / kCertificateFile, to_json(certificates, record));
}

}  // namespace infoscissors::results
