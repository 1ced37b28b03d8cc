#include "cli/infer_source.h"

#include "infoscissors/base/error.h"
#include "infoscissors/base/file.h"
#include "infoscissors/data/dataset.h"
#include "infoscissors/device/stream.h"

#include <algorithm>
#include <cctype>
#include <deque>
#include <filesystem>
#include <iostream>

namespace infoscissors::cli {
namespace {

namespace fs = std::filesystem;
using base::Error;
using base::UsageError;

constexpr const char* kStandardInput = "-";

bool is_picture(const fs::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return extension == ".png" || extension == ".jpg" || extension == ".jpeg";
}

std::vector<std::string> pictures_of(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code code;
  for (fs::directory_iterator it(folder, code), end; !code && it != end; it.increment(code)) {
    const auto& path = it->path();
    if (is_picture(path) && !path.filename().string().starts_with(".")) names.push_back(path.string());
  }
  if (code) throw Error("{}: cannot be listed: {}", folder.string(), code.message());
  if (names.empty()) throw Error("{}: has no PNG or JPEG file", folder.string());
  std::sort(names.begin(), names.end());
  return names;
}

class Files : public ItemSource {
 public:
  explicit Files(const std::vector<std::string>& names) {
    for (const auto& name : names) {
      std::error_code code;
      if (name == kStandardInput) {
        names_.push_back(name);
      } else if (fs::is_directory(name, code)) {
        for (auto& picture : pictures_of(name)) names_.push_back(std::move(picture));
      } else if (fs::exists(name, code)) {
        names_.push_back(name);
      } else {
        throw UsageError("{}: there is no such file or folder", name);
      }
    }
  }

  std::optional<Item> next() override {
    while (!names_.empty()) {
      const auto name = names_.front();
      if (name != kStandardInput) {
        names_.pop_front();
        return Item{name, image::decode(base::read_file(name), name), std::nullopt};
      }
      if (auto bytes = stream_.next()) {
        const auto shown = fmt::format("stdin:{}", ++streamed_);
        return Item{shown, image::decode(*bytes, shown), std::nullopt};
      }
      names_.pop_front();
    }
    return std::nullopt;
  }

 private:
  std::deque<std::string> names_;
  device::PictureStream stream_{std::cin, "standard input"};
  std::int64_t streamed_ = 0;
};

class TestPart : public ItemSource {
 public:
  explicit TestPart(data::Dataset dataset) : dataset_(std::move(dataset)), position_(dataset_.official_train) {}

  std::optional<Item> next() override {
    if (position_ >= dataset_.size()) return std::nullopt;
    const auto pixels = dataset_.images[position_].permute({1, 2, 0}).contiguous();  // (H, W, C)
    const auto* first = pixels.data_ptr<std::uint8_t>();
    Item item{fmt::format("{}:{}", dataset_.name, position_ - dataset_.official_train),
              {.width = pixels.size(1), .height = pixels.size(0), .channels = pixels.size(2), .pixels = {}},
              dataset_.labels[position_].item<std::int64_t>()};
    item.picture.pixels.assign(first, first + pixels.numel());
    ++position_;
    return item;
  }

 private:
  data::Dataset dataset_;
  std::int64_t position_;
};

}  // namespace

std::unique_ptr<ItemSource> open_files(const std::vector<std::string>& names) {
  return std::make_unique<Files>(names);
}

std::unique_ptr<ItemSource> open_dataset(const std::string& name, const std::string& path,
                                         const std::vector<std::string>& classes) {
  data::DataOptions options;
  options.name = name;
  options.path = path;
  auto dataset = data::load_dataset(options);
  if (dataset.classes != classes) {
    throw UsageError("--dataset {}: its classes ({}, ...) are not the bundle's ({}, ...)", name,
                     dataset.classes.front(), classes.front());
  }
  return std::make_unique<TestPart>(std::move(dataset));
}

}  // namespace infoscissors::cli
