#include "infoscissors/ranks/connect.h"
#include "infoscissors/tensor/file.h"
#include "infoscissors/train/checkpoint.h"

#include "tests/ranks/fixture.h"
#include "tests/ranks/launch.h"
#include "tests/support/temporary_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

namespace infoscissors::tests {
namespace {

using testing::HasSubstr;

class Ranks : public testing::Test {
 protected:
  void SetUp() override {
    if (!ranks::has_gloo()) GTEST_SKIP() << "built without Gloo";
  }
  Variables out() const { return {{"TEST_OUT", directory_.path().string()}}; }
  TemporaryDirectory directory_;
};

void expect_success(const std::vector<Ended>& ended) {
  for (std::size_t rank = 0; rank < ended.size(); ++rank) {
    EXPECT_EQ(ended[rank].status, 0) << "rank " << rank << ": " << ended[rank].output;
  }
}

/// The one line with which a rank complained.
std::string complaint(const Ended& ended) {
  const auto begin = ended.output.find("error: ");
  if (begin == std::string::npos) return ended.output;
  const auto line = ended.output.substr(begin);
  EXPECT_EQ(line.find('\n'), line.size() - 1) << line;
  return line;
}

/// How far a tensor is from where one process ends, as a multiple of what rounding may do. One process with the whole
/// batch and ranks that share it differ by the order in which floats are added, here by 1e-6 of a tensor's largest
/// element. 1e-3 is allowed, and for an adversary twice the rate of its Adam (3e-3) more: Adam divides by the root of
/// the second moment, so that a gradient of nearly 0 moves its parameter by up to the rate in a direction that rounding
/// decides.
double distance(const std::string& name, const torch::Tensor& expected, const torch::Tensor& other) {
  const auto x = expected.to(torch::kFloat64), y = other.to(torch::kFloat64);
  const double size = std::max(0.1, x.abs().max().item<double>());
  const double allowed = 1e-3 * size + (name.starts_with("defense") ? 6e-3 : 0.0);
  return (x - y).abs().max().item<double>() / allowed;
}

/// Where what rank 0 stored differs from the network and the figures of one process; empty: nowhere.
std::string difference(const char* spec, std::uint64_t seed, const tensor::TensorFile& first) {
  Training alone(spec, seed);
  const auto log = alone.run(nullptr);
  std::string text;
  for (const auto& [name, tensor] : alone.state()) {
    const double off = distance(name, tensor, first.tensors.at(name));
    if (!(off < 1)) text += fmt::format("{}: {:.2g} times what is allowed\n", name, off);
  }
  for (const auto& [figure, value] : log.epochs.back().values) {
    const double other = first.tensors.at("log." + figure).item<double>();
    if (!(std::abs(other - value) <= 1e-3 * std::max(1.0, std::abs(value)))) {
      text += fmt::format("{}: {} instead of {}\n", figure, other, value);
    }
  }
  return text;
}

/// Every defence must end with the network of one process for one of three seeds. Not for each: a ReLU whose input is
/// nearly 0, the sign in an-adv and the nearest centre of cem are discontinuous, and where rounding decides one of them
/// otherwise the two trainings part (about one in ten does). A wrong synchronisation is wrong for every seed. That the
/// ranks agree with each other, bit for bit, has no exception.
void expect_one_network(int size, const Variables& out, const TemporaryDirectory& directory) {
  std::map<int, std::string> differing;
  for (int number = 0; number < static_cast<int>(std::size(kDefences)); ++number) differing[number] = "not run";
  for (const std::uint64_t seed : {5, 6, 7}) {
    if (differing.empty()) break;
    auto variables = out;
    variables["TEST_SEED"] = std::to_string(seed);
    expect_success(launch("train", size, variables));
    for (int number = 0; number < static_cast<int>(std::size(kDefences)); ++number) {
      const char* spec = kDefences[number];
      const auto first = tensor::load_tensors(directory / fmt::format("{}-0", number));
      for (int rank = 1; rank < size; ++rank) {
        const auto own = tensor::load_tensors(directory / fmt::format("{}-{}", number, rank));
        for (const auto& [name, tensor] : first.tensors) {
          EXPECT_TRUE(tensor.equal(own.tensors.at(name))) << spec << ": rank " << rank << " differs in " << name;
        }
      }
      if (!differing.contains(number)) continue;
      differing[number] = difference(spec, seed, first);
      if (differing[number].empty()) differing.erase(number);
    }
  }
  for (const auto& [number, text] : differing) ADD_FAILURE() << kDefences[number] << "\n" << text;
}

TEST_F(Ranks, TwoTrainTheNetworkOfOne) {
  expect_one_network(2, out(), directory_);
}

TEST_F(Ranks, ThreeWithUnevenAndEmptySharesTrainTheNetworkOfOne) {
  expect_one_network(3, out(), directory_);
}

TEST_F(Ranks, FourTrainTheNetworkOfOne) {
  expect_one_network(4, out(), directory_);
}

TEST_F(Ranks, SumsBroadcastsGathersAndShares) {
  expect_success(launch("exchange", 3));
}

TEST_F(Ranks, Bf16TrainsOnSeveralRanks) {
  auto variables = out();
  variables["TEST_SEED"] = "5";
  expect_success(launch("train-bf16", 2, variables));
  // Rounded to 8 bits at every layer, the two networks drift apart; that the ranks agree and figures stay near is all.
  int number = 0;
  for (const char* spec : kDefences) {
    SCOPED_TRACE(spec);
    Training alone(spec, 5, true);
    const auto log = alone.run(nullptr);
    const auto first = tensor::load_tensors(directory_ / fmt::format("{}-0", number));
    const auto second = tensor::load_tensors(directory_ / fmt::format("{}-1", number++));
    for (const auto& [name, tensor] : first.tensors) EXPECT_TRUE(tensor.equal(second.tensors.at(name))) << name;
    const double loss = log.epochs.back().values.at("cross_entropy");
    EXPECT_NEAR(first.tensors.at("log.cross_entropy").item<double>(), loss, 0.05 * loss);
  }
}

// Stopped on two ranks after an epoch, gone on with on three: the network that one process trains undisturbed.
TEST_F(Ranks, AnotherNumberOfRanksGoesOn) {
  auto variables = out();
  variables["TEST_EPOCHS"] = "1";
  launch("train-on", 2, variables);
  ASSERT_TRUE(std::filesystem::exists(directory_ / "checkpoint"));
  expect_success(launch("train-on", 3, out()));
  Training alone(kDefences[1]);
  alone.run(nullptr);
  const auto resumed = tensor::load_tensors(directory_ / "resumed-0");
  for (const auto& [name, tensor] : alone.state()) {
    EXPECT_LT(distance(name, tensor, resumed.tensors.at(name)), 1) << name;
  }
  // Alone again: what the ranks left is finished.
  Training again(kDefences[1]);
  again.run(nullptr, {directory_ / "checkpoint", "hash"});
  for (const auto& [name, tensor] : again.state()) EXPECT_TRUE(tensor.equal(resumed.tensors.at(name))) << name;
}

TEST_F(Ranks, WhereOneDiesTheOthersEndWithALine) {
  const auto ended = launch("lose-one", 3);
  EXPECT_EQ(ended[2].status, 128 + SIGKILL);
  for (int rank = 0; rank < 2; ++rank) {
    EXPECT_EQ(ended[static_cast<std::size_t>(rank)].status, 1);
    EXPECT_THAT(complaint(ended[static_cast<std::size_t>(rank)]),
                HasSubstr(fmt::format("rank {} of 3 lost the other ranks", rank)));
  }
}

TEST_F(Ranks, WhereOneHangsTheOthersEndInTime) {
  const auto ended = launch("hang-one", 2, {{"TEST_TIMEOUT", "2"}});
  EXPECT_EQ(ended[0].status, 1);
  EXPECT_THAT(complaint(ended[0]), HasSubstr("did not answer in time"));
}

TEST_F(Ranks, AnInterruptOfOneStopsAllBehindTheSameStep) {
  for (const auto& rank : launch("interrupt-one", 2, out())) {
    EXPECT_EQ(rank.status, 130);
    EXPECT_THAT(complaint(rank), HasSubstr("the state is saved"));
  }
  EXPECT_TRUE(std::filesystem::exists(directory_ / "checkpoint"));
}

TEST_F(Ranks, OneThatNeverComesIsNamed) {
  const int port = free_port();
  auto variables = place_of(0, 2, port);
  variables["TEST_TIMEOUT"] = "1";
  const auto ended = launch("meet", 1, [&](int) { return variables; });
  EXPECT_EQ(ended[0].status, 1);
  EXPECT_THAT(complaint(ended[0]), HasSubstr("rank 1 of 2 did not come within 1 s"));
}

TEST_F(Ranks, WithoutRankZeroTheOthersEnd) {
  auto variables = place_of(1, 2, free_port());
  variables["TEST_TIMEOUT"] = "1";
  const auto ended = launch("meet", 1, [&](int) { return variables; });
  EXPECT_EQ(ended[0].status, 1);
  EXPECT_THAT(complaint(ended[0]), HasSubstr("cannot reach rank 0 at 127.0.0.1"));
}

TEST_F(Ranks, DifferentWorldsAreRefused) {
  const int port = free_port();
  const auto ended = launch("meet", 2, [&](int rank) { return place_of(rank, rank == 0 ? 2 : 3, port); });
  for (const auto& rank : ended) {
    EXPECT_EQ(rank.status, 2);
    EXPECT_THAT(complaint(rank), HasSubstr("rank 1 was started as one of 3 ranks, rank 0 as one of 2"));
  }
}

TEST_F(Ranks, DifferentConfigurationsAreRefused) {
  for (const auto& rank : launch("differ", 2)) {
    EXPECT_EQ(rank.status, 2);
    EXPECT_THAT(complaint(rank), HasSubstr("rank 1 was started with another configuration than rank 0"));
  }
}

TEST_F(Ranks, TheSameRankTwiceIsRefused) {
  const int port = free_port();
  const auto ended =
      launch("meet-for-a-while", 3, [&](int process) { return place_of(std::min(process, 1), 2, port); });
  const auto& refused = ended[1].status == 0 ? ended[2] : ended[1];
  EXPECT_EQ(refused.status, 2);
  EXPECT_THAT(complaint(refused), HasSubstr("two processes were started as rank 1 of 2"));
  EXPECT_EQ(ended[0].status, 0);
}

}  // namespace
}  // namespace infoscissors::tests
