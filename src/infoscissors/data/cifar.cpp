#include "infoscissors/base/error.h"
#include "infoscissors/base/file.h"
#include "infoscissors/base/log.h"
#include "infoscissors/data/search.h"
#include "infoscissors/data/source.h"

#include <sstream>

namespace infoscissors::data {
namespace {

namespace fs = std::filesystem;
using base::Error;

constexpr std::int64_t kPixels = 3 * 32 * 32;
constexpr std::int64_t kOfficialTrain = 50000;
constexpr std::int64_t kOfficialTest = 10000;

/// The binary layout: records of `label_bytes` labels and one image, channel by channel.
struct Layout {
  std::int64_t label_bytes;
  std::int64_t label_at;  // which of them is used
  std::int64_t classes;
};

std::vector<std::string> read_names(const fs::path& path, std::int64_t count) {
  std::istringstream lines(base::read_file(path));
  std::vector<std::string> names;
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (!line.empty()) names.push_back(line);
  }
  if (static_cast<std::int64_t>(names.size()) != count) {
    throw Error("{}: {} class names where {} were expected", path.string(), names.size(), count);
  }
  return names;
}

std::int64_t count_records(const fs::path& path, std::int64_t record) {
  if (!fs::is_regular_file(path)) throw Error("{}: missing, or not a file", path.string());
  const auto size = static_cast<std::int64_t>(fs::file_size(path));
  if (size == 0 || size % record != 0) {
    throw Error("{}: truncated or with trailing bytes: {} bytes are not a whole number of {}-byte records",
                path.string(), size, record);
  }
  if (size / record > kOfficialTrain) {
    throw Error("{}: {} images, where at most {} were expected", path.string(), size / record, kOfficialTrain);
  }
  return size / record;
}

Dataset read_records(const std::vector<fs::path>& files, std::size_t train_files, const Layout& layout) {
  const std::int64_t record = layout.label_bytes + kPixels;
  std::int64_t total = 0;
  Dataset dataset;
  for (std::size_t i = 0; i < files.size(); ++i) {
    total += count_records(files[i], record);
    if (i + 1 == train_files) dataset.official_train = total;
  }
  if (dataset.official_train != kOfficialTrain || total != kOfficialTrain + kOfficialTest) {
    base::log::warning("{}: {} training and {} test images instead of the official {} and {}",
                       files[0].parent_path().string(), dataset.official_train, total - dataset.official_train,
                       kOfficialTrain, kOfficialTest);
  }
  dataset.images = torch::empty({total, 3, 32, 32}, torch::kUInt8);
  dataset.labels = torch::empty({total}, torch::kInt64);
  std::int64_t at = 0;
  for (const auto& file : files) {
    std::string bytes = base::read_file(file);
    const std::int64_t count = static_cast<std::int64_t>(bytes.size()) / record;
    if (static_cast<std::int64_t>(bytes.size()) % record != 0 || at + count > total) {
      throw Error("{}: changed while it was read", file.string());
    }
    const auto records = torch::from_blob(bytes.data(), {count, record}, torch::kUInt8);
    const auto labels = records.select(1, layout.label_at);
    check_labels(labels, layout.classes, file.string());
    dataset.labels.narrow(0, at, count).copy_(labels);
    dataset.images.narrow(0, at, count).copy_(records.slice(1, layout.label_bytes).view({count, 3, 32, 32}));
    at += count;
  }
  if (at != total) throw Error("{}: changed while it was read", files[0].parent_path().string());
  return dataset;
}

std::string remedy(const std::string& name) {
  return fmt::format(
      "run `infoscissors data fetch {}`; without a network, bring the official binary archive from another machine, "
      "unpack "
      "it into one of these directories or name its place with [data] path",
      name);
}

}  // namespace

Dataset load_cifar10(const DataOptions& options) {
  const fs::path directory = find_files({.directory = "cifar-10-batches-bin",
                                         .markers = {"data_batch_1.bin"},
                                         .system_places = {},
                                         .remedy = remedy("cifar10")},
                                        options.path);
  std::vector<fs::path> files;
  for (int i = 1; i <= 5; ++i) files.push_back(directory / fmt::format("data_batch_{}.bin", i));
  files.push_back(directory / "test_batch.bin");
  auto classes = read_names(directory / "batches.meta.txt", 10);
  Dataset dataset = read_records(files, 5, {.label_bytes = 1, .label_at = 0, .classes = 10});
  dataset.name = "cifar10";
  dataset.classes = std::move(classes);
  return dataset;
}

Dataset load_cifar100(const DataOptions& options) {
  const fs::path directory = find_files(
      {.directory = "cifar-100-binary", .markers = {"train.bin"}, .system_places = {}, .remedy = remedy("cifar100")},
      options.path);
  const bool coarse = options.labels == "coarse";
  const std::int64_t count = coarse ? 20 : 100;
  auto classes = read_names(directory / (coarse ? "coarse_label_names.txt" : "fine_label_names.txt"), count);
  Dataset dataset = read_records({directory / "train.bin", directory / "test.bin"}, 1,
                                 {.label_bytes = 2, .label_at = coarse ? 0 : 1, .classes = count});
  dataset.name = "cifar100";
  dataset.classes = std::move(classes);
  return dataset;
}

}  // namespace infoscissors::data
