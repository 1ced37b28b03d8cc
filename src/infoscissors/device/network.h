#pragma once

#include "infoscissors/bundle/manifest.h"

#include "infoscissors/tensor/torch.h"

#include <torch/csrc/jit/api/module.h>

#include <filesystem>
#include <string>
#include <vector>

namespace infoscissors::device {

/// One of a bundle's TorchScript files, for CPU inference.
class Network {
 public:
  /// Reads it verified against the manifest, and runs it once on zeros. Shapes are those of one sample. Throws Error
  /// naming the file where it cannot be loaded or its output has another shape.
  Network(const std::filesystem::path& half, const bundle::Manifest& manifest, const std::string& file,
          const std::vector<std::int64_t>& input, const std::vector<std::int64_t>& output);

  /// (N, input...) -> (N, output...), float32. From any thread.
  torch::Tensor run(const torch::Tensor& batch) const;

 private:
  // forward() is not const, though nothing of a frozen graph changes.
  mutable torch::jit::Module module_;
};

}  // namespace infoscissors::device
