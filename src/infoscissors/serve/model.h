#pragma once

#include "infoscissors/bundle/manifest.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>

namespace infoscissors::serve {

/// A network that runs batches. Used by one thread at a time.
class Executor {
 public:
  struct Output {
    std::shared_ptr<const void> keep;  // owns what `data` points to
    const float* data = nullptr;       // rows * elements of an output row
  };

  virtual ~Executor() = default;

  /// Where the next batch is written: rows * elements of an input row, valid until `run` returns.
  virtual float* input(std::int64_t rows) = 0;

  /// The outputs of the rows that were written. Throws base::Error.
  virtual Output run(std::int64_t rows) = 0;
};

/// Loads the network of a server's half whose manifest was read. Throws base::Error naming the file.
using ExecutorFactory =
    std::function<std::unique_ptr<Executor>(const std::filesystem::path& directory, const bundle::Manifest& manifest)>;

}  // namespace infoscissors::serve
