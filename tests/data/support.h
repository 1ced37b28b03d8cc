#pragma once

#include "infoscissors/base/file.h"
#include "infoscissors/data/dataset.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace infoscissors::tests {

/// An IDX file of unsigned bytes.
inline std::string idx(const std::vector<std::uint32_t>& shape, const std::string& content) {
  std::string bytes{'\0', '\0', '\x08', static_cast<char>(shape.size())};
  for (const auto size : shape) {
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(size >> shift);
  }
  return bytes + content;
}

/// CIFAR records: for record i the labels and then 3,072 pixels that all have the value `first` + i.
inline std::string records(const std::vector<std::string>& labels, int first) {
  std::string bytes;
  for (std::size_t i = 0; i < labels.size(); ++i)
    bytes += labels[i] + std::string(3072, static_cast<char>(first + static_cast<int>(i)));
  return bytes;
}

/// `train` + `test` images of `classes` classes with the pixel values 0, 1, 2, ... (modulo 256).
inline data::Dataset counting_dataset(std::int64_t train, std::int64_t test, std::vector<std::int64_t> shape,
                                      std::int64_t classes = 3) {
  const std::int64_t count = train + test;
  shape.insert(shape.begin(), count);
  std::int64_t size = 1;
  for (const auto side : shape) size *= side;
  data::Dataset dataset{.name = "counting",
                        .images = torch::arange(size, torch::kInt64).remainder(256).to(torch::kUInt8).view(shape),
                        .labels = torch::arange(count, torch::kInt64).remainder(classes),
                        .classes = std::vector<std::string>(static_cast<std::size_t>(classes), "class"),
                        .official_train = train};
  return dataset;
}

}  // namespace infoscissors::tests
