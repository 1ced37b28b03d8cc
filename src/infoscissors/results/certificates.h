#pragma once

#include "infoscissors/base/json.h"
#include "infoscissors/results/record.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace infoscissors::results {

constexpr int kCertificateSchema = 1;
inline constexpr const char* kCertificateFile = "certificates.json";

/// A statement about every attacker that follows from estimates of information, as far as its assumption holds.
struct CertificateRecord {
  std::string name;      // "fano"
  std::string goal;      // the attacks it speaks of: "input" or "prediction"
  std::string measure;   // what of them it limits: "accuracy", "cross_entropy" or "mse"
  bool at_most = false;  // a ceiling; else a floor
  double value = 0;
  bool vacuous = false;  // it forbids nothing
  std::string quantity, unit, assumption, source;
  std::string premise;  // the figures it follows from, for people: "I(v; y) <= 0.8 nats by l1out"
  base::Json basis = base::Json::object();  // the same and more, for programs
};

/// DIR/certificates.json, beside metrics.json.
struct Certificates {
  std::string config_hash;  // of the run they belong to
  std::uint64_t seed = 0;
  std::string version, commit;
  std::int64_t fitted_images = 0, estimated_images = 0;
  std::vector<CertificateRecord> list;
  std::vector<std::string> warnings;  // of the estimates
};

/// How a certificate fares against something that was measured.
struct Verdict {
  std::string by;          // an attack's spec, or kDevice
  std::uint64_t seed = 0;  // the attack's
  double measured = 0;     // in the certificate's measure
  bool violated = false;   // it beats the certificate: the assumption does not hold
};

/// The device's own classifier is a function of v: whoever had its weights would do as well, so what limits every
/// attacker limits it, too.
inline constexpr const char* kDevice = "the device's own classifier";

/// The certificate against every attack of its goal in the record and, for predictions, the device's classifier.
/// Measures that are missing or not finite are left out. The cross-entropy of an attack that only guesses a class is
/// that of its best calibrated form: with accuracy a, H_b(a) + (1 - a) ln(K - 1) nats.
std::vector<Verdict> verdicts(const CertificateRecord& certificate, const RunRecord& record);

bool violated(const CertificateRecord& certificate, const RunRecord& record);

/// Holds the verdicts on the record's attacks as they are now; reading computes them anew.
base::Json to_json(const Certificates& certificates, const RunRecord& record);

/// Throws Error naming `file` and the key for a document that is not one, or of a newer schema.
Certificates certificates_from_json(const base::Json& document, const std::string& file);

/// Nothing where the run has none. Throws Error where they belong to another run than `record`.
std::optional<Certificates> load_certificates(const std::filesystem::path& directory, const RunRecord& record);

/// Atomic.
void save_certificates(const std::filesystem::path& directory, const Certificates& certificates,
                       const RunRecord& record);

}  // namespace infoscissors::results
