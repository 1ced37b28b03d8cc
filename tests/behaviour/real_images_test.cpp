// What theory says of every run, on real pictures: an undefended network gives everything away, a stronger defence does
// not leak more, an attacker who may do more does not learn less. Each with the interval of what is compared.

#include "infoscissors/base/error.h"
#include "infoscissors/data/dataset.h"
#include "infoscissors/experiment/run.h"
#include "infoscissors/stats/interval.h"

#include "tests/support/temporary_directory.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>

namespace infoscissors::experiment {
namespace {

constexpr std::int64_t kImages = 24;

/// The demo's undefended network with fewer pictures.
RunConfig small(const std::string& data) {
  RunConfig config;
  config.data.name = data;
  config.data.train = 3000;
  config.model.width = 0.5;
  config.train.epochs = 3;
  config.train.batch = 64;
  config.train.rate = 0.1;
  config.evaluate.images = config.evaluate.samples = kImages;
  config.runtime.threads = 1;
  return config;
}

/// The lower end of the 95 % interval of mean(more - less), paired by image: above 0, `more` is larger for certain.
double certain_gain(const results::AttackRecord& less, const results::AttackRecord& more) {
  std::vector<double> differences;
  for (std::size_t i = 0; i < less.samples.size(); ++i) {
    EXPECT_EQ(less.samples[i].index, more.samples[i].index);
    differences.push_back(more.samples[i].ssim - less.samples[i].ssim);
  }
  return stats::mean_interval(differences).low;
}

/// The same for two accuracies over as many images each.
double certain_gain(double less, double more, std::int64_t images) {
  const double variance = (less * (1 - less) + more * (1 - more)) / static_cast<double>(images);
  return more - less - 1.96 * std::sqrt(variance);
}

/// One undefended network on Fashion-MNIST for all tests.
class FashionMnist : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    directory_ = std::make_unique<tests::TemporaryDirectory>();
    run_ = std::make_unique<experiment::Run>(experiment::Run::start(small("fashion-mnist"), *directory_ / "none"));
    run_->train();
  }
  static void TearDownTestSuite() {
    run_.reset();
    directory_.reset();
  }

  static results::AttackRecord attack(const std::string& spec) { return run_->attack(spec, std::nullopt, false); }
  static double accuracy() { return run_->record().measures.at("accuracy"); }

  /// The same network behind a defence that perturbs what it releases.
  static experiment::Run defended(const std::string& defense) {
    auto config = small("fashion-mnist");
    config.model_from = (*directory_ / "none").string();
    config.defense = defense;
    auto run = experiment::Run::start(config, *directory_ / defense);
    run.train();
    return run;
  }

  inline static std::unique_ptr<tests::TemporaryDirectory> directory_;
  inline static std::unique_ptr<experiment::Run> run_;
};

TEST_F(FashionMnist, WithoutADefenceThePicturesAreReconstructed) {
  EXPECT_GE(attack("ka(decoder=res,width=16,steps=400)").measures.at("ssim"), 0.9);
  EXPECT_GE(attack("rmle").measures.at("ssim"), 0.9);
}

TEST_F(FashionMnist, WithoutADefenceFortyLabelsTellThePredictions) {
  const auto inferred = attack("pmc(labels=40)").measures.at("accuracy");
  EXPECT_GE(inferred, 0.8 * accuracy()) << "the device's own accuracy is " << accuracy();
}

TEST_F(FashionMnist, MoreAuxiliaryImagesDoNotWeakenInversion) {
  const auto few = attack("ka(budget=40)"), many = attack("ka(budget=400)");
  EXPECT_LE(certain_gain(many, few), 0);
  EXPECT_GT(certain_gain(few, many), 0) << "ten times the images must show";
}

TEST_F(FashionMnist, MoreStepsDoNotWeakenOptimisation) {
  const auto few = attack("rmle(starts=1,steps=20)"), many = attack("rmle(starts=1,steps=500)");
  EXPECT_LE(certain_gain(many, few), 0);
  EXPECT_GT(certain_gain(few, many), 0) << "25 times the steps must show";
}

TEST_F(FashionMnist, MoreLabelsDoNotWeakenModelCompletion) {
  const double few = attack("pmc(labels=10)").measures.at("accuracy");
  const double many = attack("pmc(labels=400)").measures.at("accuracy");
  EXPECT_GT(certain_gain(few, many, 10000), 0) << few << " with 10 labels, " << many << " with 400";
}

TEST_F(FashionMnist, MoreStrengthDoesNotLeakMore) {
  const std::string ka = "ka(budget=400)";
  const std::vector<std::vector<std::string>> ladders = {{"an(scale=0.1)", "an(scale=1)", "an(scale=10)"},
                                                         {"dc(share=0.5)", "dc(share=0.05)", "dc(share=0.002)"},
                                                         {"dropout(probability=0.2)", "dropout(probability=0.98)"}};
  const auto undefended = attack(ka);
  for (const auto& ladder : ladders) {
    auto weaker = undefended;
    for (const auto& defense : ladder) {
      const auto stronger = defended(defense).attack(ka, std::nullopt, false);
      EXPECT_LE(certain_gain(weaker, stronger), 0) << defense;
      weaker = stronger;
    }
    EXPECT_GT(certain_gain(weaker, undefended), 0) << ladder.back() << " must show";
  }
}

TEST(Cifar10, WithoutADefenceThePicturesAreReconstructed) {
  const RunConfig config = small("cifar10");
  try {
    data::load_dataset(config.data);
  } catch (const base::Error& error) {
    GTEST_SKIP() << error.what();
  }
  const tests::TemporaryDirectory directory;
  experiment::Run run = experiment::Run::start(config, directory / "none");
  run.train();
  EXPECT_GE(run.attack("ka(decoder=res,budget=4000)", std::nullopt, false).measures.at("ssim"), 0.9);
  EXPECT_GE(run.attack("rmle", std::nullopt, false).measures.at("ssim"), 0.9);
}

}  // namespace
}  // namespace infoscissors::experiment
