#include "infoscissors/experiment/certify.h"

#include "tests/experiment/support.h"
#include "tests/support/expect_error.h"

#include <gtest/gtest.h>

#include <cmath>

namespace infoscissors::experiment {
namespace {

using testing::HasSubstr;

std::shared_ptr<Workbench> untrained() {
  auto config = tiny_config();
  config.data.validation = 60;
  config.data.test = 140;
  return make_workbench(config);
}

CertifyOptions quick() {
  CertifyOptions options;
  options.estimator = "l1out(epochs=3)";
  options.generator = "ka(decoder=linear,epochs=1,steps=60)";
  options.seed = 4;
  return options;
}

const results::CertificateRecord& find(const results::Certificates& certificates, const std::string& name) {
  for (const auto& certificate : certificates.list) {
    if (certificate.name == name) return certificate;
  }
  throw base::Error("there is no {}", name);
}

TEST(Certify, StatesEveryLimitWithItsAssumption) {
  const auto bench = untrained();
  const auto certificates = certify(bench, "hash", quick());
  EXPECT_EQ(certificates.config_hash, "hash");
  EXPECT_EQ(certificates.fitted_images, 100);
  EXPECT_EQ(certificates.estimated_images, 100);
  ASSERT_EQ(certificates.list.size(), 5U);
  for (const auto& certificate : certificates.list) {
    EXPECT_TRUE(std::isfinite(certificate.value)) << certificate.name;
    EXPECT_GE(certificate.value, 0.0) << certificate.name;
    EXPECT_FALSE(certificate.assumption.empty()) << certificate.name;
    EXPECT_FALSE(certificate.premise.empty()) << certificate.name;
    EXPECT_EQ(certificate.at_most, certificate.measure == "accuracy") << certificate.name;
  }
  const auto& fano = find(certificates, "fano-exact");
  EXPECT_LE(fano.value, find(certificates, "fano").value);
  EXPECT_GE(fano.value, 1.0 / static_cast<double>(bench->task.classes) - 1e-9);
  // The floor lies below the generator's own error: it is the geometric instead of the arithmetic mean of its residual,
  // at the conservative end, along some of the directions.
  const auto& power = find(certificates, "entropy-power");
  EXPECT_GT(power.value, 0.0);
  EXPECT_LT(power.value, power.basis["generator_mse"].get<double>());
  EXPECT_EQ(certify(bench, "hash", quick()).list.back().value, power.value) << "the same seed, the same figure";
}

TEST(Certify, AnAttackThatDoesBetterViolatesIt) {
  const auto certificates = certify(untrained(), "hash", quick());
  results::RunRecord record;
  results::AttackRecord attack;
  attack.spec = "rmle";
  attack.goal = "input";
  attack.measures = {{"mse", 0.9 * find(certificates, "entropy-power").value}};
  record.attacks = {attack};
  EXPECT_TRUE(violated(find(certificates, "entropy-power"), record));
  EXPECT_FALSE(violated(find(certificates, "fano"), record));
}

TEST(Certify, RefusesWhatBoundsNothingFromAbove) {
  auto options = quick();
  options.estimator = "infonce";
  EXPECT_THAT(tests::message_of<base::UsageError>([&] { validate(options); }),
              HasSubstr("needs an upper bound of the information, and infonce is none: club, l1out, vclub-s, vib"));
  for (const char* generator : {"rmle", "pmc", "ka(budget=40)"}) {
    options = quick();
    options.generator = generator;
    EXPECT_THROW(validate(options), base::UsageError) << generator;
  }
  options = quick();
  options.images = 30;
  EXPECT_THAT(tests::message_of<base::UsageError>([&] { certify(untrained(), "hash", options); }),
              HasSubstr("too few"));
}

}  // namespace
}  // namespace infoscissors::experiment
