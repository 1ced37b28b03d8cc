#include "benchmarks/speed/bench.h"
#include "benchmarks/speed/recorder.h"
#include "infoscissors/train/train.h"

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

}  // namespace

std::unique_ptr<Work> make_train_work(const Options& options) {
  return std::make_unique<TrainWork>(options);
}

}  // namespace infoscissors::speed
