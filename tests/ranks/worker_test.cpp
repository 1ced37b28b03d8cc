// What the ranks of the other tests do: this binary is started once for each of them.
#include "infoscissors/base/error.h"
#include "infoscissors/base/interrupt.h"
#include "infoscissors/ranks/connect.h"
#include "infoscissors/tensor/file.h"

#include "tests/ranks/fixture.h"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <thread>

namespace infoscissors::tests {
namespace {

using ranks::process_environment;

std::unique_ptr<ranks::Group> connect(const std::string& identity = "one") {
  const auto seconds = process_environment("TEST_TIMEOUT");
  return ranks::connect(
      *ranks::find_place(process_environment),
      {.timeout = std::chrono::seconds(seconds.empty() ? 30 : std::stoi(seconds)), .identity = identity});
}

std::string out(const std::string& name) {
  return process_environment("TEST_OUT") + "/" + name;
}

/// The log's figures beside the network's state.
void save(const std::string& name, Training& training, const train::TrainLog& log) {
  tensor::TensorFile file;
  file.tensors = training.state();
  for (const auto& [figure, value] : log.epochs.back().values) {
    file.tensors["log." + figure] = torch::tensor(value, torch::kFloat64);
  }
  tensor::save_tensors(out(name), file);
}

void train_all(bool bf16) {
  const auto group = connect();
  int number = 0;
  for (const char* spec : kDefences) {
    Training training(spec, std::stoull(process_environment("TEST_SEED")), bf16);
    const auto log = training.run(group.get());
    save(fmt::format("{}-{}", number++, group->rank()), training, log);
  }
}

/// Resumes from TEST_OUT/checkpoint where there is one; stops after TEST_EPOCHS.
void train_on() {
  const auto group = connect();
  Training training(kDefences[1]);
  const train::CheckpointPlace place{group->rank() == 0 ? out("checkpoint") : "/nowhere/at/all", "hash"};
  struct Stopped {};
  const auto epochs = process_environment("TEST_EPOCHS");
  try {
    const auto log = training.run(group.get(), place, [&](const train::EpochLog& epoch) {
      if (std::to_string(epoch.epoch) == epochs) throw Stopped();
    });
    save(fmt::format("resumed-{}", group->rank()), training, log);
  } catch (const Stopped&) {
    std::_Exit(0);
  }
}

/// The last rank is gone after the first epoch.
void lose_one() {
  const auto group = connect();
  Training training("none");
  training.options.epochs = 1000;
  training.run(group.get(), {}, [&](const train::EpochLog&) {
    if (group->rank() == group->size() - 1) std::raise(SIGKILL);
  });
}

/// The last rank neither ends nor answers.
void hang_one() {
  const auto group = connect();
  if (group->rank() == group->size() - 1) std::this_thread::sleep_for(std::chrono::seconds(15));
  group->sum(torch::zeros({1}));
}

/// Only the last rank is interrupted.
void interrupt_one() {
  base::install_interrupt_handler();
  const auto group = connect();
  Training training("none");
  training.options.epochs = 1000;
  training.run(group.get(), {group->rank() == 0 ? out("checkpoint") : "", "hash"}, [&](const train::EpochLog& epoch) {
    if (group->rank() == group->size() - 1 && epoch.epoch == 2) std::raise(SIGTERM);
  });
}

/// Long enough for a third process to come.
void meet_for_a_while() {
  const auto group = connect();
  std::this_thread::sleep_for(std::chrono::seconds(10));
}

void differ() {
  connect(process_environment("RANK"));
}

/// The primitives, each on awkward shapes.
void exchange() {
  const auto group = connect();
  const int rank = group->rank(), size = group->size();
  const auto require = [](bool condition, const char* what) {
    if (!condition) throw base::Error("{} is wrong", what);
  };
  const auto bits = torch::tensor({1.5, -2.0 * rank}).to(torch::kBFloat16);
  const auto all = group->gather(bits);
  require(all.size(0) == size && all.scalar_type() == torch::kBFloat16, "a gathered type");
  require(all[size - 1][1].item<float>() == -2.0F * static_cast<float>(size - 1), "a gathered value");
  const auto strided = torch::full({3, 2}, rank + 1.0).t();
  group->sum(strided);
  require(strided.eq(size * (size + 1) / 2).all().item<bool>(), "the sum of a transposed tensor");
  const auto told = torch::full({2}, rank, torch::kInt64);
  group->broadcast(told);
  require(told.eq(0).all().item<bool>(), "a broadcast");
  require(ranks::ranks_with_key(*group, rank == 0 ? 1 : std::uint64_t{1} << 63) == (rank == 0 ? 1 : size - 1), "a key");
  // y = 3 x^2 computed in shares; f = sum(c y) by every rank.
  for (const std::int64_t total : {2, 5, 8}) {
    const auto x = torch::arange(total * 12, torch::kFloat32).view({total, 3, 2, 2}).requires_grad_();
    const auto c = torch::linspace(-1, 1, total * 12).view_as(x);
    const auto y = ranks::join_shares(*group, 3 * ranks::take_share(*group, x * 1).square(), total);
    require(torch::allclose(y, 3 * x.square()), "a joined batch");
    (c * y).sum().backward();
    require(torch::allclose(x.grad(), 6 * c * x.detach()), "a gradient through shares");
  }
}

TEST(Worker, DoesItsJob) {
  const auto job = process_environment("INFOSCISSORS_TEST_JOB");
  if (job.empty()) GTEST_SKIP() << "started by the other tests";
  try {
    if (job == "train") train_all(false);
    if (job == "train-bf16") train_all(true);
    if (job == "train-on") train_on();
    if (job == "lose-one") lose_one();
    if (job == "hang-one") hang_one();
    if (job == "interrupt-one") interrupt_one();
    if (job == "differ") differ();
    if (job == "meet") connect();
    if (job == "meet-for-a-while") meet_for_a_while();
    if (job == "exchange") exchange();
  } catch (const base::UsageError& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    std::_Exit(2);
  } catch (const base::Interrupted& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    std::_Exit(130);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    std::_Exit(1);
  }
}

}  // namespace
}  // namespace infoscissors::tests
