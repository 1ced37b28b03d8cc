#include "infoscissors/data/dataset.h"

#include "infoscissors/base/error.h"
#include "infoscissors/data/source.h"

#include <algorithm>

namespace infoscissors::data {
namespace {

using base::Error;
using base::UsageError;

struct Source {
  DatasetDoc doc;
  Dataset (*load)(const DataOptions&);
};

const std::vector<Source>& sources() {
  static const std::vector<Source> list = {
      {{"cifar10", "60,000 colour photographs of 32x32 pixels in 10 classes", "Krizhevsky 2009"}, load_cifar10},
      {{"cifar100", "60,000 colour photographs of 32x32 pixels in 100 fine or 20 coarse classes", "Krizhevsky 2009"},
       load_cifar100},
      {{"fashion-mnist", "70,000 grey pictures of clothes of 28x28 pixels in 10 classes", "Xiao et al. 2017"},
       load_fashion_mnist},
      {{"folder", "your own PNG and JPEG pictures, one folder a class", ""}, load_folder},
      {{"synthetic", "1,200 small generated pictures of gratings and shapes in 10 classes, for trials and tests", ""},
       load_synthetic},
  };
  return list;
}

std::vector<std::string> names() {
  std::vector<std::string> list;
  for (const auto& source : sources()) list.push_back(source.doc.name);
  return list;
}

// What every consumer relies on; a loader that breaks it is caught here and not in the middle of a training.
void check(const Dataset& dataset) {
  const auto& images = dataset.images;
  const bool sound = images.dim() == 4 && images.scalar_type() == torch::kUInt8 && images.is_contiguous() &&
                     dataset.labels.dim() == 1 && dataset.labels.scalar_type() == torch::kInt64 &&
                     images.size(0) == dataset.labels.size(0) && dataset.official_train > 0 &&
                     dataset.official_train < dataset.size() && !dataset.classes.empty();
  if (!sound) throw Error("data set {}: needs images and labels in a training part and a test part", dataset.name);
}

}  // namespace

base::Fields DataOptions::fields() {
  return {
      {"name", &name, base::one_of(names()), "the data set"},
      {"path", &path, base::any(), "the directory with its files; empty: the usual places"},
      {"labels", &labels, base::one_of({"fine", "coarse"}), "CIFAR-100: its 100 fine or its 20 coarse classes"},
      {"image_size", &image_size, base::between(0, 1024),
       "folder, synthetic: side of the square images in pixels; 0: 32 for folder, 16 for synthetic"},
      {"channels", &channels, base::between(0, 3),
       "folder, synthetic: 1 (grey) or 3 (colour); 0: colour unless every picture of the folder is grey"},
      {"train", &train, base::at_least(0), "training images; 0: all that auxiliary and validation leave"},
      {"auxiliary", &auxiliary, base::at_least(0), "images the attacker owns, taken from the training part"},
      {"validation", &validation, base::at_least(0), "images for choosing and stopping, taken from the training part"},
      {"test", &test, base::at_least(0), "test images; 0: the whole test part"},
  };
}

std::vector<DatasetDoc> datasets() {
  std::vector<DatasetDoc> list;
  for (const auto& source : sources()) list.push_back(source.doc);
  return list;
}

Dataset load_dataset(const DataOptions& options) {
  for (const auto& source : sources()) {
    if (source.doc.name != options.name) continue;
    if (options.channels != 0 && options.channels != 1 && options.channels != 3) {
      throw UsageError("[data] channels must be 0, 1 or 3, got {}", options.channels);
    }
    Dataset dataset = source.load(options);
    check(dataset);
    return dataset;
  }
  throw UsageError("[data] there is no data set '{}': {}", options.name, base::suggestion(options.name, names()));
}

void check_labels(const torch::Tensor& labels, std::int64_t classes, const std::string& file) {
  const auto wrong = labels.to(torch::kInt64).ge(classes).nonzero();
  if (wrong.numel() == 0) return;
  const auto index = wrong[0][0].item<std::int64_t>();
  throw Error("{}: image {} has the label {}, but labels must be below {}", file, index,
              labels[index].item<std::int64_t>(), classes);
}

}  // namespace infoscissors::data
