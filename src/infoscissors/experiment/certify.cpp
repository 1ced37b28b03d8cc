#include "infoscissors/experiment/certify.h"

#include "infoscissors/attack/attack.h"
#include "infoscissors/base/error.h"
#include "infoscissors/base/log.h"
#include "infoscissors/base/machine.h"
#include "infoscissors/base/random.h"
#include "infoscissors/data/batches.h"
#include "infoscissors/experiment/views.h"
#include "infoscissors/mi/certificate.h"
#include "infoscissors/mi/estimator.h"
#include "infoscissors/mi/residual.h"
#include "infoscissors/nn/layer.h"

#include <cmath>
#include <numbers>

namespace infoscissors::experiment {
namespace {

using base::Json;
using base::UsageError;
using results::CertificateRecord;

constexpr double kNormal95 = 1.959964;
constexpr double kDirectionShare = 0.2;  // of the fitted images: kept from the generator to choose the directions
constexpr const char* kPaperEstimator = "club";

/// What one certification works on.
struct Subject {
  std::shared_ptr<Workbench> bench;
  const CertifyOptions& options;
  HeldOut chosen;
  data::Batch batch;       // the held-out images, in order
  train::Exposed exposed;  // what crosses the wire for them
};

/// What a certificate follows from, for people and for programs.
struct Basis {
  std::string premise;
  Json figures;
};

CertificateRecord record_of(const char* name, const char* goal, const char* measure, const mi::Certificate& certificate,
                            const Basis& basis) {
  CertificateRecord record;
  record.name = name;
  record.goal = goal;
  record.measure = measure;
  record.at_most = record.measure == "accuracy";
  record.value = certificate.value;
  record.vacuous = certificate.vacuous;
  record.quantity = certificate.quantity;
  record.unit = certificate.unit;
  record.assumption = certificate.assumption;
  record.source = certificate.source;
  record.premise = basis.premise;
  record.basis = basis.figures;
  return record;
}

mi::EstimatorPtr make_upper_bound(const std::string& text) {
  const auto spec = base::parse_spec(text);
  const auto& entry = mi::registry().find(spec.name);
  if (entry.traits.at("bound") != "upper") {
    std::vector<std::string> fitting;
    for (const auto& other : mi::registry().entries()) {
      if (other.traits.at("bound") == "upper") fitting.push_back(other.doc.name);
    }
    throw UsageError("a certificate needs an upper bound of the information, and {} is none: {}", spec.name,
                     fmt::join(fitting, ", "));
  }
  return entry.make(spec);
}

mi::Estimate prediction_information(const Subject& subject, const std::string& text,
                                    std::vector<std::string>& warnings) {
  const auto estimator = make_upper_bound(text);
  const auto device = subject.bench->runtime.device;
  const auto pairs =
      mi::make_pairs(subject.exposed.features.to(device), subject.batch.labels.to(device), mi::Kind::labels, "v", "y");
  const auto index = torch::arange(pairs.size(), torch::TensorOptions(torch::kInt64).device(device));
  const auto fitted = subject.chosen.fitted;
  const mi::Split parts{pairs.select(index.slice(0, 0, fitted)), pairs.select(index.slice(0, fitted))};
  const auto estimate = mi::measure(*estimator, parts, {.permutations = 0, .seed = subject.options.seed});
  for (const auto& line : estimate.health.warnings("I(v; y) by " + text)) warnings.push_back(line);
  return estimate;
}

// H(y) of the images that are estimated on: below the true entropy on average, which weakens every certificate.
double label_entropy(const Subject& subject) {
  const auto labels = subject.batch.labels.slice(0, subject.chosen.fitted);
  const auto p =
      labels.bincount({}, subject.bench->task.classes).to(torch::kFloat64) / static_cast<double>(labels.size(0));
  return -torch::xlogy(p, p).sum().item<double>();
}

void certify_prediction(const Subject& subject, results::Certificates& certificates) {
  const auto classes = subject.bench->task.classes;
  const double entropy = label_entropy(subject);
  const auto basis = [&](const std::string& estimator, const mi::Estimate& estimate) -> Basis {
    return {
        fmt::format("I(v; y) <= {:.3g} nats by {} (upper end), H(y) = {:.3g} nats", estimate.high, estimator, entropy),
        {{"estimator", estimator},
         {"information", mi::to_json(estimate)},
         {"label_entropy", entropy},
         {"classes", classes}}};
  };
  auto& list = certificates.list;
  const auto upper = prediction_information(subject, subject.options.estimator, certificates.warnings);
  const auto shown = basis(subject.options.estimator, upper);
  const auto add_fano = [&](const char* name, const mi::Certificate& certificate) {
    list.push_back(record_of(name, "prediction", "accuracy", certificate, shown));
  };
  if (classes > 2) add_fano("fano", mi::fano_accuracy(entropy, upper.high, classes));
  add_fano("fano-exact", mi::fano_accuracy_exact(entropy, upper.high, classes));
  const auto paper = prediction_information(subject, kPaperEstimator, certificates.warnings);
  const double missing = paper.health.missing;
  list.push_back(record_of("cross-entropy", "prediction", "cross_entropy",
                           mi::cross_entropy_floor(entropy, paper.high - missing, missing),
                           basis(kPaperEstimator, paper)));
}

base::Spec generator_spec(const CertifyOptions& options) {
  auto spec = base::parse_spec(options.generator);
  const auto& entry = attack::registry().find(spec.name);
  bool has_budget = false;
  for (const auto& option : entry.options) has_budget = has_budget || option.at("name") == "budget";
  if (entry.traits.at("goal") != "input" || entry.traits.at("view") != "black-box" || !has_budget) {
    throw UsageError(
        "the generator must be an attack that learns to reconstruct inputs from what it queries (ka), "
        "got {}",
        spec.name);
  }
  for (const auto& [key, value] : spec.options) {
    if (key == "budget") throw UsageError("the generator's budget is the number of fitted images; leave it out");
  }
  return spec;
}

/// The held-out images with their reconstructions by the generator, which was trained on the first `trained`.
mi::Reconstructed reconstruct(const Subject& subject, std::int64_t trained) {
  auto spec = generator_spec(subject.options);
  spec.options.emplace_back("budget", fmt::format("{}", trained));
  auto view = make_view<attack::BlackBoxView>({.bench = subject.bench,
                                               .exposed = subject.exposed,
                                               .indices = subject.chosen.indices,
                                               .seed = base::derive_seed(subject.options.seed, "generator")});
  view.auxiliary = {subject.batch.images.slice(0, 0, trained).contiguous(), subject.batch.labels.slice(0, 0, trained)};
  const auto method = std::get<std::shared_ptr<const attack::BlackBoxAttack>>(attack::registry().make(spec));
  return {subject.batch.images, method->run(view).reconstructions.to(torch::kCPU, torch::kFloat32).clamp(0, 1)};
}

void certify_input(const Subject& subject, results::Certificates& certificates) {
  const auto fitted = subject.chosen.fitted;
  const auto trained = fitted - static_cast<std::int64_t>(kDirectionShare * static_cast<double>(fitted));
  const auto all = reconstruct(subject, trained);
  const auto part = [&](std::int64_t begin, std::int64_t end) {
    return mi::Reconstructed{all.x.slice(0, begin, end), all.g.slice(0, begin, end)};
  };
  const auto directions = mi::residual_directions(part(trained, fitted));
  const auto held_out = part(fitted, all.x.size(0));
  const auto f = mi::measure_residual(directions, part(0, trained), held_out);
  const auto elements = nn::element_count(subject.bench->task.input);
  const auto m = static_cast<double>(directions.count());
  const double error = (held_out.x - held_out.g).square().mean().item<double>();
  const Json figures = {{"generator", subject.options.generator},
                        {"generator_mse", error},
                        {"directions", directions.count()},
                        {"elements", elements},
                        {"variance", directions.variance},
                        {"information", f.information},
                        {"information_error", f.information_error},
                        {"information_missing", f.information_missing},
                        {"entropy", f.entropy},
                        {"conditional_entropy", f.conditional_entropy},
                        {"conditional_error", f.conditional_error},
                        {"conditional_missing", f.conditional_missing}};
  const auto add = [&](const char* name, const mi::Certificate& certificate, const std::string& premise) {
    certificates.list.push_back(
        record_of(name, "input", "mse", certificate,
                  {fmt::format("{} along {} of {} directions; {} reconstructs with a squared error of {:.3g}", premise,
                               directions.count(), elements, subject.options.generator, error),
                   figures}));
  };
  // In units of s, in which the paper's identity covariance is the residual's on average.
  const double kappa = f.entropy - 0.5 * m * std::log(2 * std::numbers::pi * directions.variance);
  const double information = f.information + kNormal95 * f.information_error;
  auto paper = mi::squared_error_floor(kappa, information, f.information_missing, directions.count());
  paper.assumption += "; h(x) is that of a Gaussian with x's covariance, the largest possible";
  add("squared-error", mi::along_directions(paper, directions.variance, directions.count(), elements),
      fmt::format("I(r; x) <= {:.3g} nats by vCLUB, h(x) = {:.3g} nats", information + f.information_missing,
                  f.entropy));
  const double entropy = f.conditional_entropy - kNormal95 * f.conditional_error - f.conditional_missing;
  auto power = mi::entropy_power_floor(entropy, directions.count());
  power.assumption +=
      "; it is that of the Gaussian with the covariance of what the generator leaves, which is right where that is "
      "Gaussian and independent of r, and too large where a better generator finds more";
  add("entropy-power", mi::along_directions(power, 1.0, directions.count(), elements),
      fmt::format("h(x|r) >= {:.3g} nats", entropy));
}

}  // namespace

void validate(const CertifyOptions& options) {
  make_upper_bound(options.estimator);
  attack::registry().make(generator_spec(options));
}

results::Certificates certify(const std::shared_ptr<Workbench>& bench, const std::string& config_hash,
                              const CertifyOptions& options) {
  validate(options);
  auto chosen = hold_out(*bench, options.images, options.held_out, mi::kFewestPairs, options.seed);
  const Subject subject{
      bench, options, chosen, data::gather(bench->dataset, chosen.indices, torch::kCPU),
      train::expose(bench->subject(), chosen.indices, bench->runtime, base::derive_seed(options.seed, "certify"))};
  results::Certificates certificates;
  certificates.config_hash = config_hash;
  certificates.seed = options.seed;
  certificates.version = base::version();
  certificates.commit = base::commit();
  certificates.fitted_images = chosen.fitted;
  certificates.estimated_images = chosen.estimated();
  certify_prediction(subject, certificates);
  certify_input(subject, certificates);
  for (const auto& warning : certificates.warnings) base::log::warning("{}", warning);
  return certificates;
}

}  // namespace infoscissors::experiment
