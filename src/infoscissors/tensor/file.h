#pragma once

#include "infoscissors/base/json.h"

#include "infoscissors/tensor/torch.h"

#include <filesystem>
#include <map>
#include <string>

namespace infoscissors::tensor {

/// Tensors by name with text metadata, in the safetensors format (8-byte header length, JSON header, raw little-endian
/// bytes), which Python reads without this project. Every size is checked against the file before anything is
/// allocated, and the payload against a checksum kept in the metadata.
struct TensorFile {
  std::map<std::string, torch::Tensor> tensors;  // on the CPU
  std::map<std::string, std::string> metadata;
};

/// Atomic. Supports uint8, int64, int32, float32, float64, bfloat16, float16, bool; other types throw Error.
void save_tensors(const std::filesystem::path& path, const TensorFile& file);

/// Throws Error naming the file and what is wrong with it.
TensorFile load_tensors(const std::filesystem::path& path);

/// A NumPy .npy file (version 1.0 to 3.0, C or Fortran order, little-endian numbers and bool).
torch::Tensor load_npy(const std::filesystem::path& path);
/// The same from a file's bytes; `name` stands for them in errors.
torch::Tensor parse_npy(const std::string& content, const std::string& name);
void save_npy(const std::filesystem::path& path, const torch::Tensor& tensor);

}  // namespace infoscissors::tensor
