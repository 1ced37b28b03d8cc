#include "tests/study/fixture.h"

#include "infoscissors/base/hash.h"

#include <fmt/format.h>

namespace infoscissors::study {
namespace {

results::AttackRecord attack(const std::string& spec, const std::string& view, const std::string& goal,
                             std::map<std::string, double> measures, std::uint64_t seed) {
  results::AttackRecord record;
  record.name = spec.substr(0, spec.find('('));
  record.spec = spec;
  record.view = view;
  record.goal = goal;
  record.seed = seed;
  record.measures = std::move(measures);
  record.seconds = 1.5;
  return record;
}

}  // namespace

results::RunRecord record_of(const Fabricated& wanted) {
  results::RunRecord record;
  record.status = results::kComplete;
  record.defense = wanted.defense;
  record.config_hash = base::content_hash(fmt::format("{} {} {}", wanted.defense, wanted.seed, wanted.dataset));
  record.seed = wanted.seed;
  record.version = "0.1.0";
  record.commit = "abc";
  record.config = {
      {"data", {{"name", wanted.dataset}}},
      {"model", {{"backbone", "resnet-small"}, {"width", 0.5}, {"head_stages", 1}, {"classifier_layers", 3}}}};
  record.data = {{"name", wanted.dataset}};
  record.trained = true;
  record.train_seconds = 12;
  record.measures = {{"accuracy", wanted.accuracy}, {"cross_entropy", 0.4}};
  record.attacks = {
      attack("ka(decoder=res)", "black-box", "input", {{"ssim", wanted.ssim}, {"mse", 0.01}}, wanted.seed),
      attack("rmle", "white-box", "input", {{"ssim", wanted.ssim + 0.01}}, wanted.seed),
      attack("pmc(labels=400)", "black-box", "prediction", {{"accuracy", wanted.labels}}, wanted.seed)};
  return record;
}

}  // namespace infoscissors::study
