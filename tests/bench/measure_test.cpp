#include "infoscissors/bench/measure.h"
#include "infoscissors/bench/report.h"
#include "tests/support/expect_error.h"

#include <atomic>
#include <cmath>
#include <mutex>
#include <set>
#include <tuple>

#include <unistd.h>

namespace infoscissors::bench {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using tests::message_of;

/// Answers at once; remembers who called.
class Fake : public Layer {
 public:
  explicit Fake(std::string name, bool batched = false, int server = 0)
      : Layer(std::move(name)), batched_(batched), server_(server) {}

  bool batched() const override { return batched_; }
  int server() const override { return server_; }
  void call(const Traffic&, std::size_t worker, std::uint64_t) override {
    if (fails_) throw base::Error("refused");
    const std::lock_guard lock(mutex_);
    workers_ = std::max(workers_, worker + 1);
  }
  void call_batch(const Traffic&, std::size_t rows) override { rows_ = rows; }
  std::vector<float> features(const Traffic&, Bytes& bytes) override {
    bytes = {100, 10};
    return features_;
  }

  std::vector<float> features_{1, 2};
  std::atomic<bool> fails_{false};
  std::atomic<std::size_t> rows_{0};
  std::size_t workers_ = 0;

 private:
  std::mutex mutex_;
  bool batched_;
  int server_;
};

Traffic traffic(const std::string& encoding) {
  return {encoding, {}, {}};
}

Plan quick() {
  Plan plan;
  plan.devices = {1, 3};
  plan.seconds = 0.01;
  plan.repetitions = 3;
  plan.warm_up = 0;
  return plan;
}

class Measure : public testing::Test {
 protected:
  Measure() {
    layers_.push_back(std::make_unique<Fake>(kBare, true));
    layers_.push_back(std::make_unique<Fake>(kGrpc, false, ::getpid()));
  }
  Fake& fake(std::size_t i) { return dynamic_cast<Fake&>(*layers_[i]); }
  std::vector<Cell> measured(const Plan& plan) {
    std::vector<Traffic> all;
    all.push_back(traffic("fp32"));
    all.push_back(traffic("int8"));
    return measure(layers_, all, plan);
  }
  std::vector<std::unique_ptr<Layer>> layers_;
};

TEST_F(Measure, EveryLayerMeetsEveryTrafficUnderEveryLoad) {
  const auto cells = measured(quick());
  ASSERT_EQ(cells.size(), 8U);
  std::set<std::tuple<std::string, std::string, std::size_t>> seen;
  for (const auto& cell : cells) {
    seen.emplace(cell.layer, cell.encoding, cell.devices);
    EXPECT_GT(cell.requests, 0U);
    EXPECT_EQ(cell.failures, 0U);
    EXPECT_LE(cell.p50.low, cell.p50.median);
    EXPECT_LE(cell.p50.median, cell.p50.high);
    EXPECT_LE(cell.p50.median, cell.p99.median);
    EXPECT_EQ(cell.bytes.sent, 100U);
  }
  EXPECT_EQ(seen.size(), 8U);
  EXPECT_EQ(fake(1).workers_, 3U);
  EXPECT_EQ(fake(0).rows_, 3U);
}

TEST_F(Measure, ABatchedCallCountsItsRows) {
  auto plan = quick();
  plan.devices = {3};
  plan.repetitions = 1;
  for (const auto& cell : measured(plan)) {
    if (cell.layer == kBare) {
      EXPECT_EQ(cell.requests % 3, 0U);
    }
  }
}

TEST_F(Measure, ServersHaveProcessorTimeOfTheirOwn) {
  for (const auto& cell : measured(quick())) {
    if (cell.layer == kBare) {
      EXPECT_EQ(cell.server_cpu.median, 0);
    }
    if (cell.layer == kGrpc) {
      EXPECT_GT(cell.server_cpu.median, 0);
    }
  }
}

TEST_F(Measure, TheOpenLoopRunsAtASharesOfTheSlowestServer) {
  auto plan = quick();
  plan.seconds = 0.05;
  plan.open_shares = {0.001, 0.002};
  const auto cells = measured(plan);
  ASSERT_EQ(cells.size(), 10U);
  double closed = 0;
  for (const auto& cell : cells) {
    if (cell.layer == kGrpc && cell.encoding == "fp32" && cell.devices == 3 && cell.rate == 0)
      closed = cell.per_second.median;
  }
  EXPECT_NEAR(cells[8].rate, 0.001 * closed, 1e-6 * closed);
  EXPECT_NEAR(cells[9].rate, 0.002 * closed, 1e-6 * closed);
  EXPECT_EQ(cells[8].layer, kGrpc);
}

TEST_F(Measure, FailuresAreCountedAndNotTimed) {
  fake(1).fails_ = true;
  for (const auto& cell : measured(quick())) {
    if (cell.layer != kGrpc) continue;
    EXPECT_GT(cell.failures, 0U);
    EXPECT_EQ(cell.failure, "refused");
    EXPECT_EQ(cell.requests, 0U);
    EXPECT_TRUE(std::isnan(cell.p50.median));
  }
}

TEST_F(Measure, LayersThatDisagreeAreNotCompared) {
  fake(1).features_ = {1, 2.5};
  EXPECT_THAT(message_of([&] { measured(quick()); }), AllOf(HasSubstr(kGrpc), HasSubstr("disagree")));
  fake(1).features_ = {1};
  EXPECT_THAT(message_of([&] { measured(quick()); }), HasSubstr("1 features where bare network has 2"));
  fake(1).features_ = {1, std::nanf("")};
  EXPECT_THAT(message_of([&] { measured(quick()); }), HasSubstr("disagree"));
}

TEST(Figures, AreMedianAndRange) {
  const auto three = figure({5, 1, 3});
  EXPECT_EQ(three.median, 3);
  EXPECT_EQ(three.low, 1);
  EXPECT_EQ(three.high, 5);
  EXPECT_TRUE(std::isnan(figure({}).median));
}

Cell cell(const std::string& layer, const std::string& encoding, std::size_t devices, double p50, double per_second,
          std::uint64_t sent) {
  Cell one;
  one.layer = layer;
  one.encoding = encoding;
  one.devices = devices;
  one.requests = 10;
  one.p50 = one.p99 = {p50, p50, p50};
  one.per_second = {per_second, per_second, per_second};
  one.bytes = {sent, 100};
  return one;
}

Report sample() {
  Report report;
  report.model = "demo";
  report.version = "0123456789abcdef";
  report.input = {16, 32, 32};
  report.threads = 1;
  report.seconds = 1;
  report.repetitions = 5;
  report.cells = {cell(kBare, "fp32", 1, 1000, 1000, 0),        cell(kGrpc, "fp32", 1, 1120, 890, 65600),
                  cell(kGrpc, "int8", 1, 1100, 890, 16500),     cell(kBare, "fp32", 64, 20000, 3200, 0),
                  cell(kInProcess, "fp32", 64, 21000, 3100, 0), cell(kGrpc, "fp32", 64, 25000, 2500, 65600)};
  report.accuracies = {{kGrpc, "fp32", 0.75, 1000}, {kGrpc, "int8", 0.747, 1000}};
  return report;
}

TEST(Bars, FollowFromTheCells) {
  const auto all = bars(sample());
  ASSERT_EQ(all.size(), 5U);
  EXPECT_NEAR(all[0].measured, 120, 1e-9);
  EXPECT_TRUE(all[0].met);
  EXPECT_NEAR(all[1].measured, 3100.0 / 3200, 1e-9);
  EXPECT_TRUE(all[1].met);
  EXPECT_NEAR(all[2].measured, 2500.0 / 3200, 1e-9);
  EXPECT_FALSE(all[2].met);
  EXPECT_NEAR(all[3].measured, 65600.0 / 16500, 1e-9);
  EXPECT_TRUE(all[3].met);
  EXPECT_NEAR(all[4].measured, 0.3, 1e-9);
  EXPECT_FALSE(all[4].met);
  EXPECT_TRUE(bars(Report{}).empty());
}

TEST(ReportText, HasEveryCellAndAccuracyAndBar) {
  auto report = sample();
  report.cells.push_back(cell(kGrpc, "fp32", 64, 800, 500, 65600));
  report.cells.back().rate = 500;
  const auto text = to_markdown(report);
  EXPECT_THAT(text, AllOf(HasSubstr("[16, 32, 32] is 65536 bytes"), HasSubstr("| 1 | gRPC | int8 | 1100 µs"),
                          HasSubstr("| 64 | bare network | fp32 | 20 ms (20 ms to 20 ms)"), HasSubstr("Open loop"),
                          HasSubstr("| 500 | gRPC | 800 µs"), HasSubstr("74.70 %"), HasSubstr("| no |")));
  EXPECT_THAT(to_markdown(sample()), Not(HasSubstr("Open loop")));
  const auto json = to_json(report);
  EXPECT_EQ(json.at("cells").size(), 7U);
  EXPECT_EQ(json.at("cells").at(6).at("loop"), "open");
  EXPECT_EQ(json.at("accuracy").at(1).at("accuracy"), 0.747);
  EXPECT_EQ(json.at("bars").size(), 5U);
  EXPECT_TRUE(json.at("machine").is_object());
}

}  // namespace
}  // namespace infoscissors::bench
