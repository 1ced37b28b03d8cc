#include "infoscissors/tensor/device.h"

#include "tests/base/support.h"

#include <ATen/Parallel.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace infoscissors::tensor {
namespace {

using base::error_of;
using testing::HasSubstr;

std::string device_error(const std::string& device) {
  return error_of([&] { make_runtime(device, "fp32", 1); });
}

/// make_runtime sets the process's thread count; later tests get it back.
class Runtimes : public testing::Test {
 protected:
  ~Runtimes() override { at::set_num_threads(threads_); }
  const int threads_ = at::get_num_threads();
};

TEST_F(Runtimes, TakeTheDeviceAndThePrecisionThatIsAskedFor) {
  const Runtime runtime = make_runtime("cpu", "bf16", 1);
  EXPECT_TRUE(runtime.device.is_cpu());
  EXPECT_TRUE(runtime.bf16);
  EXPECT_EQ(runtime.threads, 1);
  EXPECT_EQ(at::get_num_threads(), 1);
  EXPECT_FALSE(make_runtime("cpu", "fp32", 1).bf16);
  EXPECT_EQ(make_runtime("cpu", "auto", 1).bf16, has_bf16(torch::kCPU));
  EXPECT_GE(make_runtime("cpu", "fp32", 0).threads, 1);
}

TEST_F(Runtimes, UnknownNamesAreUsageErrors) {
  EXPECT_EQ(device_error("gpu"), "usage: device must be auto, cpu, cuda or cuda:N, got 'gpu'");
  EXPECT_EQ(device_error(""), "usage: device must be auto, cpu, cuda or cuda:N, got ''");
  EXPECT_EQ(device_error("cuda0"), "usage: device must be auto, cpu, cuda or cuda:N, got 'cuda0'");
  EXPECT_EQ(error_of([] { make_runtime("cpu", "fp16", 1); }),
            "usage: precision must be auto, fp32 or bf16, got 'fp16'");
  EXPECT_EQ(error_of([] { make_runtime("cpu", "fp32", -1); }), "usage: threads must be >= 0 (0: every core), got -1");
}

TEST_F(Runtimes, DevicesThatAreNotThereAreUsageErrors) {
  for (const char* device : {"cuda:9999", "cuda:-1", "cuda:", "cuda:1x", "cuda:999"}) {
    EXPECT_THAT(device_error(device), HasSubstr(fmt::format("usage: device '{}' ", device)));
  }
  if (torch::cuda::is_available()) GTEST_SKIP() << "the rest needs a machine without a CUDA device";
  EXPECT_EQ(device_error("cuda"),
            "usage: device 'cuda' was asked for, but this libtorch sees no CUDA device; use cpu or auto");
  EXPECT_TRUE(make_runtime("auto", "fp32", 1).device.is_cpu());
}

TEST(AutocastScope, ComputesInBf16OnlyInsideAndOnlyIfAsked) {
  const auto x = torch::ones({4, 4});
  Runtime runtime;
  runtime.bf16 = true;
  {
    const Autocast scope(runtime);
    EXPECT_EQ(torch::mm(x, x).scalar_type(), torch::kBFloat16);
  }
  EXPECT_EQ(torch::mm(x, x).scalar_type(), torch::kFloat32);
  runtime.bf16 = false;
  const Autocast scope(runtime);
  EXPECT_EQ(torch::mm(x, x).scalar_type(), torch::kFloat32);
}

torch::Tensor draw(std::uint64_t seed, std::string_view stream, std::uint64_t index = 0) {
  return torch::rand({64}, make_generator(torch::kCPU, seed, stream, index));
}

TEST(Generator, IsAFunctionOfSeedStreamAndIndex) {
  EXPECT_TRUE(torch::equal(draw(1, "a", 2), draw(1, "a", 2)));
  EXPECT_FALSE(torch::equal(draw(1, "a", 2), draw(2, "a", 2)));
  EXPECT_FALSE(torch::equal(draw(1, "a", 2), draw(1, "b", 2)));
  EXPECT_FALSE(torch::equal(draw(1, "a", 2), draw(1, "a", 3)));
}

TEST(Generator, NeitherReadsNorMovesTheGlobalOne) {
  torch::manual_seed(5);
  const auto expected = torch::rand({4});
  torch::manual_seed(5);
  const auto first = draw(1, "a");
  EXPECT_TRUE(torch::equal(torch::rand({4}), expected));
  torch::manual_seed(6);
  EXPECT_TRUE(torch::equal(draw(1, "a"), first));
}

// Only a coarse look: equal means and no correlation of neighbouring streams do not prove independence.
TEST(Generator, StreamsOfNeighbouringIndicesAreUncorrelated) {
  constexpr std::int64_t kCount = 20000;
  const auto a = torch::randn({kCount}, make_generator(torch::kCPU, 1, "noise", 0));
  const auto b = torch::randn({kCount}, make_generator(torch::kCPU, 1, "noise", 1));
  // The standard error of each is 1 / sqrt(20000) = 0.0071; five of them.
  EXPECT_LT(std::abs(a.mean().item<double>()), 0.036);
  EXPECT_LT(std::abs((a * b).mean().item<double>()), 0.036);
}

TEST(Libtorch, NamesItsVersion) {
  EXPECT_THAT(libtorch_version(), testing::MatchesRegex("[0-9]+\\.[0-9]+.*"));
}

}  // namespace
}  // namespace infoscissors::tensor
