#include "infoscissors/nn/fused_norm.h"
#include "infoscissors/nn/norm.h"
#include "infoscissors/tensor/device.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

namespace infoscissors::nn {
namespace {

struct Case {
  std::int64_t batch, channels, height, width;
  bool residual, rectified, affine;
};

/// What came out of a forward and a backward pass, all float64.
struct Result {
  torch::Tensor y, dx, dresidual, dweight, dbias, running_mean, running_var;
};

struct Inputs {
  torch::Tensor x, residual, weight, bias, dy;
};

Inputs draw(const Case& c, torch::ScalarType type) {
  auto generator = tensor::make_generator(torch::kCPU, 3, "fused-norm");
  const auto image = [&](double scale, double offset) {
    return (torch::randn({c.batch, c.channels, c.height, c.width}, generator) * scale + offset)
        .to(type)
        .contiguous(torch::MemoryFormat::ChannelsLast);
  };
  Inputs in;
  in.x = image(2, 30);  // far from zero: where a variance by E[x^2] - E[x]^2 would cancel
  if (c.residual) in.residual = image(1, 0);
  if (c.affine) {
    in.weight = torch::rand({c.channels}, generator) + 0.5;
    in.bias = torch::randn({c.channels}, generator);
  }
  in.dy = image(1, 0.2);
  return in;
}

Result run(const Inputs& in, const Case& c, bool fused) {
  const auto leaf = [&](const torch::Tensor& t) {
    if (!t.defined()) return torch::Tensor();
    return (fused ? t.clone() : t.to(torch::kFloat64)).detach().requires_grad_(true);
  };
  const auto x = leaf(in.x), residual = leaf(in.residual), weight = leaf(in.weight), bias = leaf(in.bias);
  const auto type = fused ? torch::kFloat32 : torch::kFloat64;
  const auto mean = torch::zeros({c.channels}, type), variance = torch::ones({c.channels}, type);
  torch::Tensor y;
  if (fused) {
    EXPECT_TRUE(can_fuse(x, residual));
    y = fused_norm(x, {weight, bias, mean, variance, 0.1, 1e-5}, residual, c.rectified);
    EXPECT_EQ(y.scalar_type(), in.x.scalar_type());
  } else {
    y = at::batch_norm(x, weight, bias, mean, variance, true, 0.1, 1e-5, false);
    if (c.residual) y = y + residual;
    if (c.rectified) y = torch::relu(y);
  }
  y.backward(in.dy.to(y.scalar_type()));
  const auto wide = [](const torch::Tensor& t) { return t.defined() ? t.detach().to(torch::kFloat64) : t; };
  const auto gradient = [&](const torch::Tensor& t) { return t.defined() ? wide(t.grad()) : t; };
  return {wide(y), gradient(x), gradient(residual), gradient(weight), gradient(bias), wide(mean), wide(variance)};
}

void expect_near(const torch::Tensor& a, const torch::Tensor& b, double tolerance, const char* what) {
  ASSERT_EQ(a.defined(), b.defined()) << what;
  if (!a.defined()) return;
  const double scale = std::max(1.0, b.abs().max().item<double>());
  EXPECT_LT((a - b).abs().max().item<double>(), tolerance * scale) << what;
}

void expect_same(const Result& a, const Result& b, double tolerance, double of_sums) {
  expect_near(a.y, b.y, tolerance, "y");
  expect_near(a.dx, b.dx, tolerance, "dx");
  expect_near(a.dresidual, b.dresidual, tolerance, "dresidual");
  expect_near(a.dweight, b.dweight, of_sums, "dweight");
  expect_near(a.dbias, b.dbias, of_sums, "dbias");
  expect_near(a.running_mean, b.running_mean, 1e-6, "running mean");
  expect_near(a.running_var, b.running_var, 1e-5, "running variance");
}

// Narrow ones share a tile among pixels, odd ones end in the middle of one, large ones are divided among threads.
const std::vector<Case> kCases = {
    {4, 8, 6, 6, false, true, true},      {3, 5, 7, 3, true, true, true},    {2, 64, 4, 4, true, false, true},
    {2, 1, 5, 5, false, false, false},    {5, 100, 3, 3, false, true, true}, {16, 16, 32, 32, true, true, true},
    {64, 512, 1, 1, false, false, false}, {9, 3, 40, 41, false, true, true},
};

TEST(FusedNorm, EqualsBatchNormThenAdditionThenReluInDoublePrecision) {
  for (const auto& c : kCases) {
    SCOPED_TRACE(fmt::format("{} x {} x {} x {}", c.batch, c.channels, c.height, c.width));
    const auto in = draw(c, torch::kFloat32);
    // An input within rounding of the ReLU's bend may fall on either side; the cases have none.
    expect_same(run(in, c, true), run(in, c, false), 2e-5, 1e-5);
  }
}

TEST(FusedNorm, InBfloat16RoundsTheOutputAndNothingBefore) {
  for (auto c : kCases) {
    c.rectified = false;  // the ReLU's bend would turn rounding into differences of size 1
    SCOPED_TRACE(fmt::format("{} x {} x {} x {}", c.batch, c.channels, c.height, c.width));
    const auto in = draw(c, torch::kBFloat16);
    expect_same(run(in, c, true), run(in, c, false), 1.0 / 256, 1e-5);
  }
}

TEST(FusedNorm, AConstantChannelGivesItsShiftAndNoGradientExplodes) {
  const auto x = torch::full({4, 3, 8, 8}, 0.1).contiguous(torch::MemoryFormat::ChannelsLast).requires_grad_(true);
  const auto bias = torch::tensor({1.0f, 2.0f, 3.0f});
  const auto y = fused_norm(x, {torch::ones({3}), bias, {}, {}, 0.1, 1e-5}, {}, false);
  EXPECT_LT((y - bias.view({1, 3, 1, 1})).abs().max().item<float>(), 1e-3);
  y.sum().backward();
  EXPECT_LT(x.grad().abs().max().item<float>(), 1e-3);
}

TEST(FusedNorm, NaNsAreNotLost) {
  for (const auto type : {torch::kFloat32, torch::kBFloat16}) {
    auto x = torch::ones({2, 4, 4, 4}).to(type).contiguous(torch::MemoryFormat::ChannelsLast);
    x[0][1][2][3] = NAN;
    const auto y = fused_norm(x, {}, {}, true);
    EXPECT_TRUE(y.select(1, 1).isnan().all().item<bool>());
    EXPECT_FALSE(y.select(1, 0).isnan().any().item<bool>());
  }
}

TEST(FusedNorm, TwoThreadsGiveTheSameUpToRounding) {
  const Case c{16, 16, 48, 48, true, true, true};
  const auto in = draw(c, torch::kFloat32);
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const auto one = run(in, c, true), again = run(in, c, true);
  at::set_num_threads(2);
  const auto two = run(in, c, true);
  at::set_num_threads(threads);
  EXPECT_TRUE(one.dx.equal(again.dx));
  expect_same(two, one, 1e-6, 1e-6);
}

TEST(FusedNorm, TakesOnlyWhatItsLoopsAreFor) {
  const auto last = torch::MemoryFormat::ChannelsLast;
  const auto x = torch::rand({2, 4, 3, 3}).contiguous(last);
  EXPECT_TRUE(can_fuse(x, {}));
  EXPECT_FALSE(can_fuse(torch::rand({2, 4, 3, 3}), {}));
  EXPECT_FALSE(can_fuse(x.to(torch::kFloat64), {}));
  EXPECT_FALSE(can_fuse(x, x.to(torch::kBFloat16)));
  EXPECT_FALSE(can_fuse(torch::rand({2, 4}), {}));
  EXPECT_FALSE(can_fuse(torch::rand({1, 4, 1, 1}).contiguous(last), {}));
}

TEST(FusedNorm, NormJoinTrainsLikeTheThreeOperationsAndCountsTheBatch) {
  const auto norm = batch_norm(6), twin = batch_norm(6);
  const auto x = (torch::randn({4, 6, 5, 5}) * 3).contiguous(torch::MemoryFormat::ChannelsLast);
  const auto residual = torch::randn({4, 6, 5, 5}).contiguous(torch::MemoryFormat::ChannelsLast);
  const auto y = norm_join(*norm, x, residual, true);
  const auto reference = torch::relu(twin->forward(x) + residual);
  EXPECT_TRUE(torch::allclose(y, reference, 1e-5, 1e-5));
  const auto one = norm->named_buffers(), other = twin->named_buffers();
  for (const auto& item : one) EXPECT_TRUE(torch::allclose(item.value(), other[item.key()], 1e-5, 1e-6)) << item.key();
  norm->eval();
  twin->eval();
  EXPECT_TRUE(
      torch::allclose(norm_join(*norm, x, residual, true), torch::relu(twin->forward(x) + residual), 1e-5, 1e-5));
}

}  // namespace
}  // namespace infoscissors::nn
