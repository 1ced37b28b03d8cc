#include "infoscissors/base/error.h"
#include "infoscissors/mi/estimator.h"
#include "tests/mi/channels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace infoscissors::mi {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing_channels::gaussians;

const MeasureOptions kPlain{.held_out = 0.5, .permutations = 0, .seed = 1};

template <class Call>
std::string error_of(Call call) {
  try {
    call();
  } catch (const base::Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(MakePairs, RefusesWhatHasNoAnswer) {
  const auto c = gaussians(100, 3, 1.0, 1);
  auto broken = c.x.clone();
  broken[17][1] = NAN;
  EXPECT_THAT(error_of([&] { make_pairs(broken, c.y, Kind::automatic, "a.npy", "b.npy"); }),
              HasSubstr("a.npy: 1 of 100 rows hold NaN or infinity, the first is row 17"));
  EXPECT_THAT(error_of([&] { make_pairs(c.x.slice(0, 0, 2), c.y.slice(0, 0, 2)); }), HasSubstr("2 pairs are too few"));
  EXPECT_THAT(error_of([&] { make_pairs(c.x, c.y.slice(0, 1)); }), HasSubstr("x has 100 rows, but y has 99"));
  EXPECT_THAT(error_of([&] { make_pairs(torch::full({100, 2}, 1e9), c.y); }), HasSubstr("every column is constant"));
  EXPECT_THAT(error_of([&] { make_pairs(c.x, torch::full({100}, 4, torch::kInt64)); }), HasSubstr("all labels are 4"));
  EXPECT_THAT(error_of([&] { make_pairs(c.x, torch::arange(100)); }), HasSubstr("not classes"));
  EXPECT_THAT(error_of([&] { make_pairs(c.x, 0.5 + torch::arange(100).remainder(2), Kind::labels); }),
              HasSubstr("whole numbers"));
}

TEST(MakePairs, StandardisesWithoutLosingDigits) {
  const auto c = gaussians(500, 2, 1.0, 2);
  const auto far = make_pairs(c.x.to(torch::kFloat64) + 1e8, 1e200 * c.y.to(torch::kFloat64));
  const auto near = make_pairs(c.x, c.y);
  EXPECT_TRUE(torch::allclose(far.x, near.x, 1e-4, 1e-4));
  EXPECT_TRUE(torch::allclose(far.y, near.y, 1e-4, 1e-4));
}

TEST(SplitPairs, LeavesSomethingInBothParts) {
  const auto c = gaussians(20, 2, 1.0, 8);
  const auto pairs = make_pairs(c.x, c.y);
  for (const double share : {0.01, 0.5, 0.99}) EXPECT_EQ(split_pairs(pairs, share, 1).fit.size(), 10);
  const auto few = pairs.select(torch::arange(10));
  for (const double share : {0.01, 0.2, 0.99}) EXPECT_EQ(split_pairs(few, share, 1).held_out.size(), 5);
  EXPECT_THROW(split_pairs(pairs, 1.0, 1), base::UsageError);
}

TEST(Degenerate, EveryMethodGivesAFlaggedResultOrAnError) {
  const auto c = gaussians(400, 3, 1.0, 3);
  const auto constant = torch::cat({c.x, torch::ones({400, 1})}, 1);
  const auto repeated = torch::cat({c.y, c.y}, 1);
  for (const auto& name : registry().names()) {
    const std::string spec = name == "ksg" ? name : name + "(epochs=1)";
    const auto estimate = measure(*make_estimator(spec), make_pairs(constant, repeated), kPlain);
    EXPECT_TRUE(std::isfinite(estimate.value)) << name;
    EXPECT_THAT(estimate.health.flags(), Contains("constant")) << name;
  }
}

// Whatever is asked, the answer is a finite figure or a flag, or one line that says why there is none.
TEST(Degenerate, NoMethodGivesAFigureThatIsNotFiniteUnflagged) {
  auto random = tensor::make_generator(torch::kCPU, 7, "test");
  const auto x = torch::randn({60, 3}, random);
  const auto rare = torch::zeros({60}, torch::kInt64);
  rare[3] = 1;
  rare[41] = 1;
  const auto two_valued = torch::randint(2, {60, 1}, random, torch::kFloat32);
  const std::vector<std::pair<torch::Tensor, torch::Tensor>> cases = {
      {x, rare},                                          // a class of two pairs
      {x.slice(0, 0, 20), x.slice(0, 20, 40)},            // as few pairs as are taken
      {two_valued, two_valued},                           // two different rows, and y is x
      {x, x},                                             // infinite information
      {x.slice(0, 0, 1).repeat({60, 1}) + 1e-30 * x, x},  // differences lost in rounding
      {torch::cat({x, x, x}, 1), torch::cat({x, x}, 1)},  // redundant columns
      {x, torch::cat({1e30 * x, 1e-30 * x}, 1)},          // scales that float cannot square
      {torch::randn({60, 90}, random), x},                // more columns than pairs
  };
  for (const auto& name : registry().names()) {
    for (std::size_t i = 0; i < cases.size(); ++i) {
      const std::string spec = name == "ksg" ? name : name + "(epochs=1)";
      try {
        const auto estimate = measure(*make_estimator(spec), make_pairs(cases[i].first, cases[i].second), kPlain);
        if (!std::isfinite(estimate.value) || !std::isfinite(estimate.high - estimate.low)) {
          EXPECT_THAT(estimate.health.flags(), Contains("not_finite")) << name << ", case " << i;
        }
      } catch (const base::Error& error) {
        EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << name << ", case " << i << error.what();
      }
    }
  }
}

TEST(Degenerate, CopiesOfPairsAreFlagged) {
  const auto c = gaussians(50, 2, 1.0, 4);
  const auto estimate =
      measure(*make_estimator("l1out(epochs=0)"), make_pairs(c.x.repeat({20, 1}), c.y.repeat({20, 1})), kPlain);
  EXPECT_THAT(estimate.health.flags(), Contains("duplicates"));
  EXPECT_GT(estimate.health.duplicate_share, 0.9);
}

TEST(Degenerate, AFunctionOfXIsFlagged) {
  const auto c = gaussians(1000, 2, 1.0, 5);
  for (const auto* spec : {"l1out(epochs=0)", "vib(epochs=0)"}) {
    const auto estimate = measure(*make_estimator(spec), make_pairs(c.x, 2 * c.x), kPlain);
    EXPECT_THAT(estimate.health.flags(), Contains("saturated")) << spec;  // the information is infinite
  }
}

TEST(Degenerate, FewPairsForTheDimensionAreFlagged) {
  auto random = tensor::make_generator(torch::kCPU, 6, "test");
  const auto estimate = measure(*make_estimator("infonce(epochs=1)"),
                                make_pairs(torch::randn({60, 40}, random), torch::randn({60, 40}, random)), kPlain);
  EXPECT_THAT(estimate.health.flags(), Contains("small_sample"));
}

}  // namespace
}  // namespace infoscissors::mi
