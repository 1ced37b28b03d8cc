#include "infoscissors/mi/components.h"

#include "infoscissors/base/error.h"
#include "infoscissors/tensor/device.h"

#include <gtest/gtest.h>

namespace infoscissors::mi {
namespace {

// Rows along three known directions with variances 9 : 4 : 1, in `columns` dimensions.
torch::Tensor known_rows(std::int64_t rows, std::int64_t columns, torch::Tensor& directions) {
  auto random = tensor::make_generator(torch::kCPU, 1, "test");
  const auto full = torch::TensorOptions(torch::kFloat64);
  directions = std::get<0>(torch::linalg_qr(torch::randn({columns, 3}, random, full)));
  // Exactly orthogonal scores without mean, so that the directions are exact and not merely near.
  auto scores = torch::randn({rows, 3}, random, full);
  scores = std::get<0>(torch::linalg_qr(scores - scores.mean(0)));
  return 5 + (scores * torch::tensor({3.0, 2.0, 1.0}, full)).matmul(directions.t());
}

// Both Gram matrices: more rows than columns and fewer.
TEST(Components, AreTheDirectionsOfLargestVariance) {
  for (const std::int64_t columns : {10, 200}) {
    torch::Tensor directions;
    const auto rows = known_rows(50, columns, directions);
    const auto two = fit_components(rows, 2);
    EXPECT_EQ(two.count(), 2);
    EXPECT_NEAR(two.explained, 13.0 / 14.0, 1e-9);
    const auto alignment = two.directions.to(torch::kFloat64).t().matmul(directions.narrow(1, 0, 2)).abs();
    EXPECT_TRUE(torch::allclose(alignment, torch::eye(2, torch::kFloat64), 1e-5, 1e-5)) << alignment;
    EXPECT_LT(two(rows).mean(0).abs().max().item<float>(), 1e-5F);
  }
}

TEST(Components, KeepOnlyWhatVaries) {
  torch::Tensor directions;
  const auto rows = known_rows(50, 20, directions);
  const auto found = fit_components(rows, 15);
  EXPECT_EQ(found.count(), 3);
  EXPECT_NEAR(found.explained, 1.0, 1e-9);
  const auto constant = fit_components(torch::ones({50, 20}), 4);
  EXPECT_TRUE(constant(torch::ones({2, 20})).eq(0).all().item<bool>());
}

TEST(Components, ATableThatIsNarrowEnoughStaysAsItIs) {
  const auto rows = torch::arange(24, torch::kFloat32).reshape({6, 2, 2});
  const auto whole = fit_components(rows, 4);
  EXPECT_TRUE(torch::equal(whole(rows), rows.flatten(1)));
  EXPECT_EQ(whole.explained, 1.0);
  EXPECT_THROW(whole(torch::ones({6, 5})), base::Error);
  EXPECT_THROW(fit_components(rows, 0), base::UsageError);
}

}  // namespace
}  // namespace infoscissors::mi
