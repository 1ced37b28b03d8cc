#pragma once

#include "infoscissors/base/options.h"

#include "infoscissors/tensor/torch.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace infoscissors::data {

/// Labelled images in one tensor. The first `official_train` images are the source's training part, the rest its test
/// part.
struct Dataset {
  std::string name;
  torch::Tensor images;  // (N, C, H, W) uint8
  torch::Tensor labels;  // (N) int64, in [0, K)
  std::vector<std::string> classes;
  std::int64_t official_train = 0;

  std::int64_t size() const { return labels.size(0); }
  std::int64_t class_count() const { return static_cast<std::int64_t>(classes.size()); }
  std::vector<std::int64_t> image_shape() const { return images.sizes().slice(1).vec(); }
};

/// Which data and how much of it goes to whom.
struct DataOptions {
  std::string name = "fashion-mnist";
  std::string path = {};          // where its files are; empty: the usual places
  std::string labels = "fine";    // CIFAR-100: fine or coarse
  std::int64_t image_size = 0;    // folder, synthetic: side of the square images; 0: 32 for folder, 16 for synthetic
  std::int64_t channels = 0;      // folder, synthetic: 1 or 3; 0: 3, or 1 for a folder of grey pictures alone
  std::int64_t train = 0;         // training images; 0: all that auxiliary and validation leave
  std::int64_t auxiliary = 5000;  // the attacker's own images
  std::int64_t validation = 1000;
  std::int64_t test = 0;  // 0: the whole official test part
  base::Fields fields();
};

/// Loads a data set: fashion-mnist, cifar10, cifar100, folder, synthetic. Throws Error naming the file and what is
/// wrong with it (missing, truncated, wrong magic, label out of range), UsageError for an unknown name. Files are
/// looked for in `path` alone where it is given, otherwise in $INFOSCISSORS_DATA, the cache directory
/// (~/.cache/infoscissors), ../data-cache and, for Fashion-MNIST, /usr/share/datasets.
Dataset load_dataset(const DataOptions& options);

struct DatasetDoc {
  std::string name;
  std::string summary;
  std::string source;
};

/// Every data set load_dataset knows, by name.
std::vector<DatasetDoc> datasets();

/// Disjoint sets of image indices: `train`, `auxiliary` (the attacker's) and `validation` come from the official
/// training part, `test` from the official test part.
struct Split {
  torch::Tensor indices;  // (n) int64, CPU
  std::string hash;       // of the indices, recorded with every result
};
struct Splits {
  Split train, auxiliary, validation, test;
};

/// Drawn from `seed` by one permutation of each official part: `auxiliary` is the beginning of the training part's
/// permutation, `validation` its end, and `train` follows `auxiliary`. So the attacker's images and the validation
/// images depend neither on each other's number nor on how many are trained on, and a smaller training set is part of a
/// larger one. Throws UsageError when more is asked for than is there.
Splits make_splits(const Dataset& dataset, const DataOptions& options, std::uint64_t seed);

/// Per-channel mean and standard deviation of the images in [0, 1] at `indices`.
struct ChannelStatistics {
  std::vector<double> mean, std;
};
ChannelStatistics channel_statistics(const Dataset& dataset, const torch::Tensor& indices);

}  // namespace infoscissors::data
