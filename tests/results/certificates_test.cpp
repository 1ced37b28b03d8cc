#include "infoscissors/results/certificates.h"

#include "infoscissors/base/error.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"

#include <gtest/gtest.h>

#include <cmath>

namespace infoscissors::results {
namespace {

using base::Json;
using testing::HasSubstr;

AttackRecord attack(const std::string& spec, const std::string& goal, const std::string& measure, double value) {
  AttackRecord record;
  record.name = record.spec = spec;
  record.view = "black-box";
  record.goal = goal;
  record.seed = 5;
  record.measures = {{measure, value}};
  return record;
}

RunRecord run() {
  RunRecord record;
  record.config_hash = "0123456789abcdef";
  record.seed = 5;
  record.data = {{"classes", {"a", "b", "c", "d"}}};
  record.measures = {{"accuracy", 0.9}, {"cross_entropy", 0.3}};
  record.attacks = {attack("ka", "input", "mse", 0.02), attack("pmc", "prediction", "accuracy", 0.7),
                    attack("rmle", "input", "ssim", 0.4)};
  return record;
}

CertificateRecord certificate(const std::string& goal, const std::string& measure, bool at_most, double value) {
  CertificateRecord record;
  record.name = measure;
  record.goal = goal;
  record.measure = measure;
  record.at_most = at_most;
  record.value = value;
  record.quantity = "q";
  record.unit = "u";
  record.assumption = "a";
  record.source = "s";
  record.premise = "p";
  record.basis = {{"information", 1.5}};
  return record;
}

Certificates example_certificates() {
  return {.config_hash = "0123456789abcdef",
          .seed = 9,
          .version = "0.1.0",
          .commit = "c",
          .fitted_images = 2000,
          .estimated_images = 1000,
          .list = {certificate("prediction", "accuracy", true, 0.8), certificate("input", "mse", false, 0.01)},
          .warnings = {"w"}};
}

TEST(Verdicts, ACeilingIsViolatedByWhatIsAbove) {
  const auto list = verdicts(certificate("prediction", "accuracy", true, 0.8), run());
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0].by, kDevice);
  EXPECT_TRUE(list[0].violated) << "the device's own classifier reads more from v than any attacker may";
  EXPECT_EQ(list[1].by, "pmc");
  EXPECT_EQ(list[1].seed, 5U);
  EXPECT_FALSE(list[1].violated);
  EXPECT_FALSE(violated(certificate("prediction", "accuracy", true, 0.9), run())) << "attaining it is not beating it";
}

// Only attacks with that goal and that measure count: rmle recorded no squared error here.
TEST(Verdicts, AFloorIsViolatedByWhatIsBelow) {
  const auto list = verdicts(certificate("input", "mse", false, 0.03), run());
  ASSERT_EQ(list.size(), 1U);
  EXPECT_EQ(list[0].by, "ka");
  EXPECT_TRUE(list[0].violated);
  EXPECT_FALSE(violated(certificate("input", "mse", false, 0.01), run()));
  EXPECT_TRUE(verdicts(certificate("input", "mse", false, 0.01), RunRecord{}).empty());
}

// Accuracy 0.7 among four classes: -0.7 ln 0.7 - 0.3 ln 0.3 + 0.3 ln 3 = 0.249672 + 0.361192 + 0.329584.
TEST(Verdicts, GuessesHaveTheCrossEntropyOfTheirBestCalibration) {
  auto list = verdicts(certificate("prediction", "cross_entropy", false, 0.5), run());
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0].measured, 0.3);
  EXPECT_TRUE(list[0].violated);
  EXPECT_NEAR(list[1].measured, 0.940448, 1e-6);
  EXPECT_FALSE(list[1].violated);
  auto record = run();
  record.attacks[1].measures["accuracy"] = 0.25;
  list = verdicts(certificate("prediction", "cross_entropy", false, 0.5), record);
  EXPECT_NEAR(list[1].measured, std::log(4.0), 1e-12) << "chance";
  record.attacks[1].measures["accuracy"] = 1.0;
  EXPECT_EQ(verdicts(certificate("prediction", "cross_entropy", false, 0.5), record)[1].measured, 0.0);
  record.attacks[1].measures["accuracy"] = NAN;
  EXPECT_EQ(verdicts(certificate("prediction", "cross_entropy", false, 0.5), record).size(), 1U);
}

TEST(Certificates, SurviveTheFile) {
  const tests::TemporaryDirectory directory;
  save_certificates(directory.path(), example_certificates(), run());
  const auto back = load_certificates(directory.path(), run());
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(to_json(*back, run()), to_json(example_certificates(), run()));
  EXPECT_EQ(back->list.at(0).basis, (Json{{"information", 1.5}}));
  EXPECT_EQ(back->warnings, example_certificates().warnings);
  EXPECT_FALSE(load_certificates(directory / "elsewhere", run()).has_value());
}

TEST(Certificates, CarryTheirVerdicts) {
  const Json document = to_json(example_certificates(), run());
  EXPECT_EQ(document["certificates"][0]["violated"], true);
  EXPECT_EQ(document["certificates"][0]["verdicts"][0]["by"], kDevice);
  EXPECT_EQ(document["certificates"][1]["violated"], false);
  EXPECT_EQ(document["certificates"][1]["verdicts"][0]["measured"], 0.02);
  // Read back, they are judged by the attacks there are now.
  auto record = run();
  record.attacks[0].measures["mse"] = 0.001;
  EXPECT_TRUE(violated(certificates_from_json(document, "c.json").list[1], record));
}

TEST(Certificates, OthersAreRefused) {
  const tests::TemporaryDirectory directory;
  save_certificates(directory.path(), example_certificates(), run());
  auto other = run();
  other.config_hash = "fedcba9876543210";
  EXPECT_THAT(tests::message_of([&] { load_certificates(directory.path(), other); }),
              HasSubstr("belongs to another run"));
  const Json whole = to_json(example_certificates(), run());
  for (const char* key : {"schema", "config_hash", "certificates", "warnings"}) {
    Json document = whole;
    document.erase(key);
    EXPECT_EQ(tests::message_of([&] { certificates_from_json(document, "c.json"); }),
              std::string("c.json: key '") + key + "' is missing");
  }
  Json document = whole;
  document["schema"] = kCertificateSchema + 1;
  EXPECT_THAT(tests::message_of([&] { certificates_from_json(document, "c.json"); }), HasSubstr("use a newer one"));
  document = whole;
  document["certificates"][1]["measure"] = "ssim";
  EXPECT_THAT(tests::message_of([&] { certificates_from_json(document, "c.json"); }),
              HasSubstr("key 'certificates[1].measure' must be one of accuracy, cross_entropy, mse"));
}

}  // namespace
}  // namespace infoscissors::results
