#include "infoscissors/base/error.h"
#include "infoscissors/base/hash.h"
#include "infoscissors/base/random.h"
#include "infoscissors/data/dataset.h"
#include "infoscissors/data/shuffle.h"

#include <random>
#include <utility>

namespace infoscissors::data {
namespace {

using base::UsageError;

Split make_split(const torch::Tensor& indices) {
  const auto owned = indices.contiguous().clone();
  return {owned, base::content_hash({static_cast<const char*>(owned.data_ptr()), owned.nbytes()})};
}

void check(const Dataset& dataset, const DataOptions& options) {
  const auto& o = options;
  for (const auto& [key, value] :
       {std::pair{"train", o.train}, {"auxiliary", o.auxiliary}, {"validation", o.validation}, {"test", o.test}}) {
    if (value < 0) throw UsageError("[data] {} must be >= 0, got {}", key, value);
  }
  const std::int64_t train_part = dataset.official_train;
  const std::int64_t test_part = dataset.size() - train_part;
  if (o.auxiliary >= train_part || o.validation >= train_part - o.auxiliary) {
    throw UsageError(
        "[data] auxiliary = {} and validation = {} leave nothing to train on: the training part of {} has {} images; "
        "lower them",
        o.auxiliary, o.validation, dataset.name, train_part);
  }
  const std::int64_t left = train_part - o.auxiliary - o.validation;
  if (o.train > left) {
    throw UsageError(
        "[data] train must be <= {} ({} images in the training part of {} less auxiliary and validation), got {}", left,
        train_part, dataset.name, o.train);
  }
  if (o.test > test_part)
    throw UsageError("[data] test must be <= {} (the test part of {}), got {}", test_part, dataset.name, o.test);
}

}  // namespace

torch::Tensor permutation(std::int64_t count, std::uint64_t seed) {
  auto order = torch::arange(count, torch::kInt64);
  auto* values = order.data_ptr<std::int64_t>();
  std::mt19937_64 engine(seed);
  for (auto remaining = static_cast<std::uint64_t>(count); remaining > 1; --remaining) {
    // Fisher-Yates; draws from the incomplete last multiple of `remaining` are thrown away, which keeps it uniform.
    const std::uint64_t bound = engine.max() - engine.max() % remaining;
    std::uint64_t draw = engine();
    while (draw >= bound) draw = engine();
    std::swap(values[remaining - 1], values[draw % remaining]);
  }
  return order;
}

Splits make_splits(const Dataset& dataset, const DataOptions& options, std::uint64_t seed) {
  check(dataset, options);
  const std::int64_t train_part = dataset.official_train;
  const std::int64_t test_part = dataset.size() - train_part;
  const auto order = permutation(train_part, base::derive_seed(seed, "split/train"));
  const std::int64_t left = train_part - options.auxiliary - options.validation;
  const std::int64_t train = options.train > 0 ? options.train : left;
  auto test = torch::arange(train_part, dataset.size(), torch::kInt64);
  if (options.test > 0) {
    test = permutation(test_part, base::derive_seed(seed, "split/test")).narrow(0, 0, options.test) + train_part;
  }
  return {
      .train = make_split(order.narrow(0, options.auxiliary, train)),
      .auxiliary = make_split(order.narrow(0, 0, options.auxiliary)),
      .validation = make_split(order.narrow(0, train_part - options.validation, options.validation)),
      .test = make_split(test),
  };
}

}  // namespace infoscissors::data
