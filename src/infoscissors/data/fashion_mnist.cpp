#include "infoscissors/base/error.h"
#include "infoscissors/data/idx.h"
#include "infoscissors/data/search.h"
#include "infoscissors/data/source.h"

namespace infoscissors::data {
namespace {

namespace fs = std::filesystem;
using base::Error;

constexpr std::int64_t kSide = 28;
constexpr std::int64_t kTrainImages = 60000;
constexpr std::int64_t kTestImages = 10000;

const std::vector<std::string> kClasses = {"t-shirt", "trouser", "pullover", "dress", "coat",
                                           "sandal",  "shirt",   "sneaker",  "bag",   "ankle-boot"};

struct Part {
  torch::Tensor images;  // (N, 1, 28, 28) uint8
  torch::Tensor labels;  // (N) int64
};

Part read_part(const fs::path& directory, const std::string& prefix, std::int64_t limit) {
  const fs::path images_file = directory / (prefix + "-images-idx3-ubyte");
  const fs::path labels_file = directory / (prefix + "-labels-idx1-ubyte");
  const auto labels = read_idx(labels_file, {}, limit);
  check_labels(labels, static_cast<std::int64_t>(kClasses.size()), labels_file.string());
  const auto images = read_idx(images_file, {kSide, kSide}, limit);
  if (images.size(0) != labels.size(0)) {
    throw Error("{}: {} images, but {} has {} labels", images_file.string(), images.size(0), labels_file.string(),
                labels.size(0));
  }
  return {images.unsqueeze(1), labels.to(torch::kInt64)};
}

}  // namespace

Dataset load_fashion_mnist(const DataOptions& options) {
  const Files files = {
      .directory = "fashion-mnist",
      .markers = {"train-images-idx3-ubyte", "train-images-idx3-ubyte.gz"},
      .system_places = {"/usr/share/datasets/fashion-mnist"},
      .remedy = "install the Debian package dataset-fashion-mnist, or put its four files into one of these directories",
  };
  const fs::path directory = find_files(files, options.path);
  const Part train = read_part(directory, "train", kTrainImages);
  const Part test = read_part(directory, "t10k", kTestImages);
  return {.name = "fashion-mnist",
          .images = torch::cat({train.images, test.images}),
          .labels = torch::cat({train.labels, test.labels}),
          .classes = kClasses,
          .official_train = train.labels.size(0)};
}

}  // namespace infoscissors::data
