#include "infoscissors/metric/classification.h"

#include "infoscissors/base/error.h"

#include <gtest/gtest.h>

namespace infoscissors::metric {
namespace {

const auto kLabels = torch::dtype(torch::kInt64);

TEST(Accuracy, IsTheShareOfEqualLabels) {
  EXPECT_DOUBLE_EQ(accuracy(torch::tensor({0, 1, 2, 3}, kLabels), torch::tensor({0, 1, 2, 0}, kLabels)), 0.75);
  EXPECT_DOUBLE_EQ(accuracy(torch::tensor({5}, kLabels), torch::tensor({5}, kLabels)), 1.0);
  EXPECT_DOUBLE_EQ(accuracy(torch::tensor({5}, kLabels), torch::tensor({4}, kLabels)), 0.0);
}

TEST(Accuracy, RefusesWhatItCannotCompare) {
  const auto two = torch::tensor({0, 1}, kLabels);
  EXPECT_THROW(accuracy(two, torch::tensor({0}, kLabels)), base::Error);
  EXPECT_THROW(accuracy(two.slice(0, 0, 0), two.slice(0, 0, 0)), base::Error);
  EXPECT_THROW(accuracy(two.to(torch::kFloat32), two), base::Error);
  EXPECT_THROW(accuracy(two.view({1, 2}), two), base::Error);
  EXPECT_THROW(accuracy(torch::Tensor(), two), base::Error);
}

}  // namespace
}  // namespace infoscissors::metric
