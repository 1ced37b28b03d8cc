#include "benchmarks/speed/bench.h"
#include "benchmarks/speed/recorder.h"
#include "infoscissors/data/batches.h"
#include "infoscissors/train/train.h"

#include <chrono>

namespace infoscissors::speed {
namespace {

/// The project's own training loop, an epoch a repetition.
class TrainWork final : public Work {
 public:
  explicit TrainWork(const Options& options)
      : bench_(make_bench(options)), steps_(options.steps), record_(options.record) {
    put_setup(*bench_, file_);
    put_weights(*bench_, file_, "before.");
  }

  double run() override {
    const auto log = train::train(bench_->subject(), bench_->config.train, bench_->runtime, bench_->seed(), {}, {});
    return log.seconds / static_cast<double>(steps_);
  }

  tensor::TensorFile exchange() override {
    if (record_) {
      Recorder recorder(*bench_->defense);
      train::train({bench_->model, recorder, bench_->dataset, bench_->splits}, bench_->config.train, bench_->runtime,
                   bench_->seed(), {}, {});
      recorder.put(file_);
      put_weights(*bench_, file_, "after.");
    }
    return file_;
  }

 private:
  std::shared_ptr<experiment::Workbench> bench_;
  std::int64_t steps_;
  bool record_;
  tensor::TensorFile file_;
};

/// Batches and nothing else: what data and augmentation take of a step.
class BatchesWork final : public Work {
 public:
  explicit BatchesWork(const Options& options) : bench_(make_bench(options)) {}

  double run() override {
    const auto& train = bench_->config.train;
    const data::EpochBatches batches(bench_->dataset, bench_->splits.train.indices, train.batch,
                                     {.pad = train.crop, .flip = train.flip}, bench_->seed(), 0,
                                     bench_->runtime.device);
    const auto begin = std::chrono::steady_clock::now();
    for (std::int64_t i = 0; i < batches.count(); ++i) batches.get(i);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    return seconds.count() / static_cast<double>(batches.count());
  }

 private:
  std::shared_ptr<experiment::Workbench> bench_;
};

}  // namespace

std::unique_ptr<Work> make_train_work(const Options& options) {
  return std::make_unique<TrainWork>(options);
}

std::unique_ptr<Work> make_batches_work(const Options& options) {
  return std::make_unique<BatchesWork>(options);
}

}  // namespace infoscissors::speed
