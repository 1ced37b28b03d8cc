#pragma once

#include "infoscissors/tensor/file.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

/// What benchmarks/run times. A work is set up once and then repeated on demand, so that two programs can take turns.
namespace infoscissors::speed {

struct Options {
  std::vector<std::string> settings;  // key=value, as the command line takes them
  std::int64_t classes = 10;
  std::int64_t steps = 20;      // train: steps a repetition
  std::int64_t attacked = 128;  // attack: images or features that are attacked
  std::string attack;           // specification
  std::string out;              // tensor file with all that the other side needs to do the same; empty: none
  bool record = false;          // run once before it is written, and add what came out
};

class Work {
 public:
  virtual ~Work() = default;
  /// One repetition; seconds for what the work counts (a step, an attack, a product).
  virtual double run() = 0;
  /// State to start from; after a recorded run also its results.
  virtual tensor::TensorFile exchange() { return {}; }
};

std::unique_ptr<Work> make_train_work(const Options& options);
/// Making the training's batches alone; seconds a batch.
std::unique_ptr<Work> make_batches_work(const Options& options);
std::unique_ptr<Work> make_attack_work(const Options& options);
/// "matmul": a 4096-cubed product in the runtime's precision; "copy": 256 MiB from one place to another.
std::unique_ptr<Work> make_ceiling_work(const std::string& name, const Options& options);

}  // namespace infoscissors::speed
