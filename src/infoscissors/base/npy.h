#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace infoscissors::base {

/// A NumPy .npy file: the format in which arrays travel between the parts that use libtorch and those that do not.
struct NpyArray {
  std::string dtype;                // NumPy's name with byte order: "|u1", "<f4", ...
  std::vector<std::int64_t> shape;  // all >= 0
  bool fortran_order = false;
  std::string data;  // product(shape) * item size bytes
};

/// Versions 1.0 to 3.0. The header is checked against the file's size before the array is allocated. Throws Error
/// naming the file.
NpyArray read_npy(const std::filesystem::path& path);

/// The same from a file's bytes; `name` stands for them in errors.
NpyArray parse_npy(const std::string& content, const std::string& name);

/// Atomic; version 1.0.
void write_npy(const std::filesystem::path& path, const NpyArray& array);

}  // namespace infoscissors::base
