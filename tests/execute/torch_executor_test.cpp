#include "infoscissors/execute/torch_executor.h"

#include "infoscissors/base/error.h"
#include "tests/bundle/support.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"

#include "infoscissors/tensor/torch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/script.h>

#include <algorithm>
#include <sstream>
#include <thread>

namespace infoscissors::execute {
namespace {

using ::testing::HasSubstr;
using tests::message_of;

/// TorchScript of one forward function.
std::string script(const std::string& forward) {
  torch::jit::Module module("network");
  module.register_parameter("weight", torch::full({16}, 3.0F), false);
  module.define(forward);
  std::ostringstream content;
  module.save(content);
  return content.str();
}

class TorchExecutorTest : public ::testing::Test {
 protected:
  std::unique_ptr<serve::Executor> load(const std::string& encoder, Options options = {.threads = 1}) {
    const auto halves = tests::sample_halves(encoder);  // r: [-1, 4, 8, 8], v: [-1, 16]
    tests::write_halves(directory_.path(), halves, encoder);
    return torch_executor(options)(directory_ / "server", halves.server);
  }

  /// Row r is filled with r + offset; the first element of each row of the output.
  static std::vector<float> run(serve::Executor& executor, std::int64_t rows, float offset) {
    float* place = executor.input(rows);
    for (std::int64_t row = 0; row < rows; ++row) std::fill_n(place + row * 256, 256, static_cast<float>(row) + offset);
    const auto output = executor.run(rows);
    std::vector<float> first;
    for (std::int64_t row = 0; row < rows; ++row) first.push_back(output.data[row * 16]);
    return first;
  }

  tests::TemporaryDirectory directory_;
};

constexpr const char* kFirst16 = "def forward(self, r):\n    return r.flatten(1)[:, :16] * self.weight\n";

TEST_F(TorchExecutorTest, RunsBatchesOfAnySize) {
  const auto executor = load(script(kFirst16));
  EXPECT_EQ(run(*executor, 1, 5), (std::vector<float>{15}));
  EXPECT_EQ(run(*executor, 3, 1), (std::vector<float>{3, 6, 9}));
  EXPECT_EQ(run(*executor, 1, 7), (std::vector<float>{21}));
}

TEST_F(TorchExecutorTest, AnotherThreadMayRunIt) {
  const auto executor = load(script(kFirst16));
  run(*executor, 1, 1);
  std::thread([&] { EXPECT_EQ(run(*executor, 2, 1), (std::vector<float>{3, 6})); }).join();
}

TEST_F(TorchExecutorTest, AnswersAreNotOverwrittenByTheNextBatch) {
  // Its output is a view of its input, which is reused.
  const auto executor = load(script("def forward(self, r):\n    return r.flatten(1)[:, :16]\n"));
  std::fill_n(executor->input(1), 256, 1.0F);
  const auto first = executor->run(1);
  std::fill_n(executor->input(1), 256, 2.0F);
  const auto second = executor->run(1);
  EXPECT_EQ(first.data[15], 1);
  EXPECT_EQ(second.data[15], 2);
}

TEST_F(TorchExecutorTest, Bfloat16IsCloseAndAnswersInFloat) {
  const auto executor = load(script(kFirst16), {.threads = 1, .bf16 = true});
  EXPECT_NEAR(run(*executor, 1, 1.25F).at(0), 3.75F, 0.02F);
}

TEST_F(TorchExecutorTest, OutputMustHaveTheManifestsShape) {
  const auto executor = load(script("def forward(self, r):\n    return r\n"));
  executor->input(2);
  EXPECT_THAT(message_of([&] { executor->run(2); }), HasSubstr("[2, 4, 8, 8]"));
}

TEST_F(TorchExecutorTest, FailuresLeaveItUsable) {
  const auto executor =
      load(script("def forward(self, r):\n    assert float(r.max()) < 100.0\n    return r.flatten(1)[:, :16]\n"));
  std::fill_n(executor->input(1), 256, 200.0F);
  EXPECT_ANY_THROW(executor->run(1));
  EXPECT_EQ(run(*executor, 1, 3), (std::vector<float>{3}));
}

TEST_F(TorchExecutorTest, RefusesDamagedFiles) {
  EXPECT_THAT(message_of([&] { load("no TorchScript"); }), HasSubstr("encoder.pt"));
  const auto good = script(kFirst16);
  EXPECT_THAT(message_of([&] { load(good.substr(0, good.size() / 2)); }), HasSubstr("encoder.pt"));
  load(good);
  auto flipped = good;
  flipped[good.size() / 2] = static_cast<char>(flipped[good.size() / 2] ^ 1);
  base::write_file(directory_ / "server" / bundle::kEncoder, flipped);
  EXPECT_THAT(
      message_of([&] { torch_executor({})(directory_ / "server", bundle::load_manifest(directory_ / "server")); }),
      HasSubstr("encoder.pt"));
}

}  // namespace
}  // namespace infoscissors::execute
