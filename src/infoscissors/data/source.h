#pragma once

#include "infoscissors/data/dataset.h"

/// The loaders behind load_dataset, one a file.
namespace infoscissors::data {

Dataset load_cifar10(const DataOptions& options);
Dataset load_cifar100(const DataOptions& options);
Dataset load_fashion_mnist(const DataOptions& options);
Dataset load_folder(const DataOptions& options);
Dataset load_synthetic(const DataOptions& options);

/// Throws Error naming `file` and the first image whose label is not in [0, classes). labels: any integer type, (N).
void check_labels(const torch::Tensor& labels, std::int64_t classes, const std::string& file);

}  // namespace infoscissors::data
