#include "infoscissors/mi/estimator.h"

#include "infoscissors/base/error.h"
#include "infoscissors/stats/interval.h"
#include "tests/mi/channels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <vector>

/// What estimates do over seeds and samples. Each test says how sure it is and of what.
namespace infoscissors::mi {
namespace {

using testing_channels::gaussians;

std::string with(const std::string& name, const std::string& options) {
  return name == "ksg" ? name : name + "(" + options + ")";
}

stats::Interval over_seeds(const std::string& spec, double nats) {
  std::vector<double> values;
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    const auto c = gaussians(1600, 4, nats, seed);
    const auto estimate = measure(*make_estimator(spec), make_pairs(c.x, c.y), {.permutations = 0, .seed = seed});
    values.push_back(estimate.value);
  }
  return stats::mean_interval(values);
}

// The 95 % interval of the expectation, from six independent samples and fits, must not lie on the wrong side of the
// truth, and the mean must be within `reach` of it. Shows that each bound is one for Gaussians; not for every variable,
// where upper bounds depend on q.
TEST(OverSeeds, NoBoundIsRefuted) {
  constexpr double kNats = 1.5;
  for (const auto* spec : {"infonce(epochs=3)", "nwj(epochs=3)", "mine(epochs=3)"}) {
    const auto interval = over_seeds(spec, kNats);
    EXPECT_LT(interval.low, kNats) << spec;
    EXPECT_NEAR(interval.mean, kNats, 0.2 * kNats) << spec;
  }
  for (const auto* spec : {"l1out(epochs=3)", "vib(epochs=3)", "club(epochs=3)", "vclub-s(epochs=3)"}) {
    const auto interval = over_seeds(spec, kNats);
    EXPECT_GT(interval.high, kNats) << spec;
    // CLUB's own expectation for Gaussians with the true conditional.
    const bool club = std::string(spec).find("club") != std::string::npos;
    EXPECT_NEAR(interval.mean, club ? 4 * (std::exp(2 * kNats / 4) - 1) : kNats, 0.2 * kNats) << spec;
  }
}

// Without information lower bounds are not above 0, and upper bounds not far from it.
TEST(OverSeeds, NothingIsFoundWhereThereIsNothing) {
  for (const auto* spec : {"infonce(epochs=2)", "nwj(epochs=2)", "l1out(epochs=2)", "club(epochs=2)"}) {
    const auto interval = over_seeds(spec, 0.0);
    EXPECT_NEAR(interval.mean, 0.0, 0.05) << spec;
    if (make_estimator(spec)->bound({}) == Bound::lower) {
      EXPECT_LT(interval.low, 0.0) << spec;
    }
  }
}

// One fit, forty fresh samples: the stated standard error must be the spread that is seen, within the precision of a
// standard deviation from forty values (a factor 1.5 is over three of its standard errors). Shows that the influence
// functions are right; it says nothing of bias.
TEST(Interval, IsTheSpreadOverFreshSamples) {
  constexpr std::int64_t kSample = 400, kSamples = 40;
  const auto c = gaussians(1000 + kSample * kSamples, 2, 0.7, 3);
  const auto all = make_pairs(c.x, c.y);
  const auto rows = [&](std::int64_t begin, std::int64_t end) { return all.select(torch::arange(begin, end)); };
  for (const auto& name : registry().names()) {
    if (name == "ksg") continue;  // its terms depend on one another, see the next test
    const auto estimator = make_estimator(with(name, "epochs=0"));
    estimator->fit(rows(0, 1000), 1);
    std::vector<double> values;
    double stated = 0;
    for (std::int64_t i = 0; i < kSamples; ++i) {
      const auto begin = 1000 + i * kSample;
      const auto estimate = estimator->estimate(rows(begin, begin + kSample));
      values.push_back(estimate.value);
      stated += (estimate.value - estimate.low) / 1.959964 / kSamples;
    }
    const auto seen = torch::tensor(values, torch::kFloat64).std(/*unbiased=*/true).item<double>();
    EXPECT_LT(stated / seen, 1.5) << name;
    EXPECT_GT(stated / seen, 1 / 1.5) << name;
  }
}

TEST(Interval, OfKsgCoversTheSpread) {
  constexpr std::int64_t kSample = 400, kSamples = 40;
  const auto c = gaussians(kSample * kSamples, 1, 0.7, 4);
  const auto all = make_pairs(c.x, c.y);
  std::vector<double> values;
  double stated = 0;
  for (std::int64_t i = 0; i < kSamples; ++i) {
    const auto estimate = make_estimator("ksg")->estimate(all.select(torch::arange(i * kSample, (i + 1) * kSample)));
    values.push_back(estimate.value);
    stated += (estimate.value - estimate.low) / 1.959964 / kSamples;
  }
  const auto seen = torch::tensor(values, torch::kFloat64).std(/*unbiased=*/true).item<double>();
  EXPECT_LT(stated / seen, 2.0);
  EXPECT_GT(stated / seen, 1 / 2.0);
}

// The order of the held-out pairs must not matter once the method is fitted; vclub-s alone draws its negatives by
// place.
TEST(Invariance, OrderOfTheHeldOutPairs) {
  const auto c = gaussians(900, 3, 1.0, 5);
  const auto pairs = make_pairs(c.x, c.y);
  const auto held_out = pairs.select(torch::arange(500, 900));
  auto random = tensor::make_generator(torch::kCPU, 6, "test");
  const auto shuffled = held_out.select(torch::randperm(400, random, torch::kInt64));
  for (const auto& name : registry().names()) {
    const auto estimator = make_estimator(with(name, "epochs=1"));
    estimator->fit(pairs.select(torch::arange(500)), 1);
    const auto plain = estimator->estimate(held_out);
    const auto other = estimator->estimate(shuffled);
    const double noise = name == "vclub-s" ? 2 * (plain.value - plain.low) : 1e-4;
    EXPECT_NEAR(other.value, plain.value, noise) << name;
    if (name != "vclub-s") {
      EXPECT_NEAR(other.high, plain.high, 1e-4) << name;
    }
  }
}

// Shifts and scales of each column change no information; y's units matter to club-unit alone, which says so.
TEST(Invariance, ScaleOfEveryColumn) {
  const auto c = gaussians(600, 3, 1.0, 7);
  const auto scale = torch::tensor({1e-3, 1.0, 1e4}, torch::kFloat64);
  const auto x = c.x * scale - 7.0;
  const auto y = c.y * scale.flip(0) + 3.0;
  const MeasureOptions options{.permutations = 0, .seed = 8};
  for (const auto& name : registry().names()) {
    const auto spec = with(name, "epochs=1");
    const double plain = measure(*make_estimator(spec), make_pairs(c.x, c.y), options).value;
    EXPECT_NEAR(measure(*make_estimator(spec), make_pairs(x, c.y), options).value, plain, 1e-2) << name;
    if (name == "club-unit") continue;
    EXPECT_NEAR(measure(*make_estimator(spec), make_pairs(x, y), options).value, plain, 1e-2) << name;
  }
}

}  // namespace
}  // namespace infoscissors::mi
