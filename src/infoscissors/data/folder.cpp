#include "infoscissors/base/error.h"
#include "infoscissors/base/file.h"
#include "infoscissors/base/hash.h"
#include "infoscissors/base/log.h"
#include "infoscissors/data/source.h"
#include "infoscissors/image/image.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cctype>
#include <cstring>

namespace infoscissors::data {
namespace {

namespace fs = std::filesystem;
using base::Error;

constexpr std::int64_t kDefaultSide = 32;
constexpr std::uint64_t kTestShare = 5;  // one picture in so many is for testing

struct Picture {
  fs::path file;
  std::int64_t label;
};

bool is_picture(const fs::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return extension == ".png" || extension == ".jpg" || extension == ".jpeg";
}

std::vector<fs::path> sorted_entries(const fs::path& directory) {
  std::error_code code;
  std::vector<fs::path> entries;
  for (fs::directory_iterator it(directory, code), end; !code && it != end; it.increment(code)) {
    if (!it->path().filename().string().starts_with(".")) entries.push_back(it->path());
  }
  if (code) throw Error("{}: cannot be listed: {}", directory.string(), code.message());
  std::sort(entries.begin(), entries.end());
  return entries;
}

std::vector<std::string> class_folders(const fs::path& root) {
  std::vector<std::string> names;
  for (const auto& entry : sorted_entries(root)) {
    if (fs::is_directory(entry)) names.push_back(entry.filename().string());
  }
  if (names.size() < 2)
    throw Error("{}: needs a folder for each of at least 2 classes, has {}", root.string(), names.size());
  return names;
}

std::vector<Picture> pictures(const fs::path& root, const std::vector<std::string>& classes) {
  std::vector<Picture> list;
  std::size_t skipped = 0;
  for (std::size_t label = 0; label < classes.size(); ++label) {
    const auto before = list.size();
    for (const auto& file : sorted_entries(root / classes[label])) {
      if (is_picture(file)) {
        list.push_back({file, static_cast<std::int64_t>(label)});
      } else {
        ++skipped;
      }
    }
    if (list.size() == before) throw Error("{}: has no PNG or JPEG file", (root / classes[label]).string());
  }
  if (skipped > 0)
    base::log::warning("{}: {} entries that are neither .png, .jpg nor .jpeg were skipped", root.string(), skipped);
  return list;
}

/// By name alone, so that adding pictures moves no other picture to the other part.
bool belongs_to_test(const Picture& picture) {
  const auto name =
      fmt::format("{}/{}", picture.file.parent_path().filename().string(), picture.file.filename().string());
  return base::hash64(name) % kTestShare == 0;
}

/// All pictures, training part first, and how many belong to it.
std::pair<std::vector<Picture>, std::int64_t> divide(const fs::path& root, std::vector<std::string>& classes) {
  std::vector<Picture> list;
  if (fs::is_directory(root / "train") && fs::is_directory(root / "test")) {
    classes = class_folders(root / "train");
    if (classes != class_folders(root / "test"))
      throw Error("{}: train and test have different class folders", root.string());
    list = pictures(root / "train", classes);
    const auto train = static_cast<std::int64_t>(list.size());
    const auto test = pictures(root / "test", classes);
    list.insert(list.end(), test.begin(), test.end());
    return {std::move(list), train};
  }
  classes = class_folders(root);
  list = pictures(root, classes);
  const auto middle =
      std::stable_partition(list.begin(), list.end(), [](const auto& p) { return !belongs_to_test(p); });
  const auto train = middle - list.begin();
  if (train == 0 || middle == list.end()) {
    throw Error("{}: {} pictures are too few to divide into a training and a test part", root.string(), list.size());
  }
  return {std::move(list), train};
}

std::vector<image::Image> decode_all(const std::vector<Picture>& list, std::int64_t size) {
  std::vector<image::Image> images(list.size());
  at::parallel_for(0, static_cast<std::int64_t>(list.size()), 16, [&](std::int64_t begin, std::int64_t end) {
    for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
      const std::string name = list[i].file.string();
      images[i] = image::resize_and_crop(image::decode(base::read_file(list[i].file), name), size);
    }
  });
  return images;
}

/// (channels, S, S) uint8; grey is repeated, colour becomes grey by the luma weights of ITU-R BT.601.
torch::Tensor to_planes(image::Image& image, std::int64_t channels) {
  const auto pixels = torch::from_blob(image.pixels.data(), {image.height, image.width, image.channels}, torch::kUInt8);
  const auto planes = pixels.permute({2, 0, 1});
  if (image.channels == channels) return planes.clone();
  if (channels == 3) return planes.expand({3, image.height, image.width}).clone();
  const auto weights = torch::tensor({0.299, 0.587, 0.114}).view({3, 1, 1});
  return (planes * weights).sum(0, true).round().to(torch::kUInt8);
}

}  // namespace

Dataset load_folder(const DataOptions& options) {
  if (options.path.empty())
    throw base::UsageError("[data] path must name the folder with one folder of pictures a class");
  if (!fs::is_directory(options.path)) throw Error("{}: is not a folder", options.path);
  if (!image::codecs_available()) {
    throw Error("{}: reading pictures needs the component \"codecs\", which this build lacks", options.path);
  }
  Dataset dataset{.name = "folder", .images = {}, .labels = {}, .classes = {}};
  auto [list, train] = divide(options.path, dataset.classes);
  const std::int64_t size = options.image_size > 0 ? options.image_size : kDefaultSide;
  auto images = decode_all(list, size);
  const bool colour = std::any_of(images.begin(), images.end(), [](const auto& image) { return image.channels == 3; });
  const std::int64_t channels = options.channels > 0 ? options.channels : (colour ? 3 : 1);
  const auto count = static_cast<std::int64_t>(list.size());
  dataset.images = torch::empty({count, channels, size, size}, torch::kUInt8);
  dataset.labels = torch::empty({count}, torch::kInt64);
  for (std::int64_t i = 0; i < count; ++i) {
    dataset.images[i].copy_(to_planes(images[static_cast<std::size_t>(i)], channels));
    dataset.labels[i] = list[static_cast<std::size_t>(i)].label;
  }
  dataset.official_train = train;
  return dataset;
}

}  // namespace infoscissors::data
