#include "infoscissors/nn/norm.h"

#include "infoscissors/nn/initialise.h"
#include "infoscissors/tensor/device.h"

#include <gtest/gtest.h>

namespace infoscissors::nn {
namespace {

/// One process that exchanges with itself.
torch::Tensor alone(const torch::Tensor& own) {
  return own.unsqueeze(0);
}

struct Pair {
  LayerPtr plain, joint;
};

Pair make_pair_of(std::int64_t channels, bool spatial, bool affine) {
  Pair pair{batch_norm(channels, spatial, affine), batch_norm(channels, spatial, affine)};
  const torch::NoGradGuard no_grad;
  for (auto& parameter : pair.plain->parameters()) parameter.uniform_(-1, 1);
  copy_state(*pair.plain, *pair.joint);
  synchronise_norms(*pair.joint, alone);
  return pair;
}

void expect_equal(const Pair& pair, const torch::Tensor& x) {
  const auto c = torch::randn_like(x);
  auto left = x.clone().requires_grad_(), right = x.clone().requires_grad_();
  const auto y = pair.plain->forward(left), z = pair.joint->forward(right);
  EXPECT_TRUE(torch::allclose(y, z, 1e-4, 1e-5));
  // A loss whose gradient depends on the output, so that the terms through mean and variance do not vanish.
  (c * y.square()).sum().backward();
  (c * z.square()).sum().backward();
  EXPECT_TRUE(torch::allclose(left.grad(), right.grad(), 1e-3, 1e-4));
  const auto ours = pair.joint->parameters(), theirs = pair.plain->parameters();
  for (std::size_t i = 0; i < ours.size(); ++i) {
    EXPECT_TRUE(torch::allclose(ours[i].grad(), theirs[i].grad(), 1e-4, 1e-4)) << i;
  }
  const auto state = state_of(*pair.joint);
  for (const auto& [name, tensor] : state_of(*pair.plain)) {
    EXPECT_TRUE(torch::allclose(tensor, state.at(name), 1e-4, 1e-5)) << name;
  }
}

TEST(Norm, SynchronisedWithItselfIsTheOrdinaryOne) {
  torch::manual_seed(3);
  const auto images = 2 + 3 * torch::randn({6, 5, 4, 3});
  expect_equal(make_pair_of(5, true, true), images);
  expect_equal(make_pair_of(5, true, true), images.contiguous(torch::MemoryFormat::ChannelsLast));
  expect_equal(make_pair_of(5, true, false), images);
  expect_equal(make_pair_of(7, false, true), torch::randn({9, 7}) - 4);
  expect_equal(make_pair_of(7, false, false), torch::randn({9, 7}));
}

// Two processes, played one after the other: what the other would send is computed beforehand from its half.
TEST(Norm, HalvesAreNormalisedByTheWhole) {
  torch::manual_seed(4);
  const auto whole = torch::randn({7, 3, 2, 2}) * 2 + 1;
  const auto plain = batch_norm(3), half = batch_norm(3);
  const auto expected = plain->forward(whole);
  const auto other = whole.narrow(0, 3, 4);
  synchronise_norms(*half, [&](const torch::Tensor& own) {
    const auto mean = other.mean({0, 2, 3}), variance = other.var({0, 2, 3}, /*unbiased=*/false);
    return torch::stack({own, torch::cat({mean, variance, torch::full({1}, 16.0)}).to(own.scalar_type())});
  });
  EXPECT_TRUE(torch::allclose(half->forward(whole.narrow(0, 0, 3)), expected.narrow(0, 0, 3), 1e-4, 1e-5));
  const auto state = state_of(*half);
  for (const auto& [name, tensor] : state_of(*plain)) EXPECT_TRUE(torch::allclose(tensor, state.at(name))) << name;
}

TEST(Norm, KeepsBf16AndIsOrdinaryAfterwards) {
  const auto norm = batch_norm(3);
  synchronise_norms(*norm, alone);
  const auto x = torch::randn({4, 3, 2, 2}).to(torch::kBFloat16).requires_grad_();
  const auto y = norm->forward(x);
  EXPECT_EQ(y.scalar_type(), torch::kBFloat16);
  y.sum().backward();
  EXPECT_EQ(x.grad().scalar_type(), torch::kBFloat16);
  int calls = 0;
  synchronise_norms(*norm, [&](const torch::Tensor& own) {
    ++calls;
    return own.unsqueeze(0);
  });
  norm->eval();
  norm->forward(torch::randn({4, 3, 2, 2}));
  EXPECT_EQ(calls, 0) << "in evaluation nothing is exchanged";
  synchronise_norms(*norm, {});
  norm->train();
  norm->forward(torch::randn({4, 3, 2, 2}));
  EXPECT_EQ(calls, 0);
}

}  // namespace
}  // namespace infoscissors::nn
