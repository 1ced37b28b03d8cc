#include "infoscissors/data/info.h"

#include "infoscissors/base/error.h"

namespace infoscissors::data {
namespace {

using base::Json;

constexpr std::int64_t kGap = 2;  // pixels between pictures

Json split_sizes(const Dataset& dataset, const DataOptions& options) {
  try {
    const Splits splits = make_splits(dataset, options, 0);
    return {{"train", splits.train.indices.numel()},
            {"auxiliary", splits.auxiliary.indices.numel()},
            {"validation", splits.validation.indices.numel()},
            {"test", splits.test.indices.numel()}};
  } catch (const base::UsageError& error) {
    return {{"error", error.what()}};
  }
}

std::string numbers(const Json& list) {
  std::string text;
  for (const auto& value : list) text += fmt::format("{}{:.4f}", text.empty() ? "" : ", ", value.get<double>());
  return text;
}

}  // namespace

Json describe_dataset(const Dataset& dataset, const DataOptions& options) {
  const std::int64_t train = dataset.official_train;
  const auto in_train = torch::bincount(dataset.labels.slice(0, 0, train), {}, dataset.class_count());
  const auto in_test = torch::bincount(dataset.labels.slice(0, train), {}, dataset.class_count());
  Json classes = Json::array();
  for (std::int64_t k = 0; k < dataset.class_count(); ++k) {
    classes.push_back({{"name", dataset.classes[static_cast<std::size_t>(k)]},
                       {"train", in_train[k].item<std::int64_t>()},
                       {"test", in_test[k].item<std::int64_t>()}});
  }
  const auto statistics = channel_statistics(dataset, torch::arange(train, torch::kInt64));
  return {{"name", dataset.name},    {"shape", dataset.image_shape()},
          {"train", train},          {"test", dataset.size() - train},
          {"classes", classes},      {"splits", split_sizes(dataset, options)},
          {"mean", statistics.mean}, {"std", statistics.std}};
}

std::string print_description(const Json& d) {
  const auto& shape = d.at("shape");
  std::string text =
      fmt::format("{}: {} training and {} test images of {} x {} x {} (channels x height x width)\n",
                  d.at("name").get<std::string>(), d.at("train").get<std::int64_t>(), d.at("test").get<std::int64_t>(),
                  shape[0].get<int>(), shape[1].get<int>(), shape[2].get<int>());
  text += fmt::format("mean {}; standard deviation {} (training part, pixels in [0, 1])\n", numbers(d.at("mean")),
                      numbers(d.at("std")));
  const auto& splits = d.at("splits");
  if (splits.contains("error")) {
    text += fmt::format("splits: {}\n", splits["error"].get<std::string>());
  } else {
    text += fmt::format("splits: train {}, auxiliary {}, validation {}, test {}\n", splits["train"].get<std::int64_t>(),
                        splits["auxiliary"].get<std::int64_t>(), splits["validation"].get<std::int64_t>(),
                        splits["test"].get<std::int64_t>());
  }
  text += fmt::format("\n{:<24} {:>8} {:>8}\n", "class", "train", "test");
  for (const auto& one : d.at("classes")) {
    text += fmt::format("{:<24} {:>8} {:>8}\n", one["name"].get<std::string>(), one["train"].get<std::int64_t>(),
                        one["test"].get<std::int64_t>());
  }
  return text;
}

image::Image contact_sheet(const Dataset& dataset, std::int64_t columns) {
  const auto shape = dataset.image_shape();
  const std::int64_t channels = shape[0];
  const std::int64_t height = shape[1] + kGap;
  const std::int64_t width = shape[2] + kGap;
  auto sheet =
      torch::full({dataset.class_count() * height + kGap, columns * width + kGap, channels}, 255, torch::kUInt8);
  for (std::int64_t k = 0; k < dataset.class_count(); ++k) {
    const auto members = dataset.labels.eq(k).nonzero().flatten().slice(0, 0, columns);
    for (std::int64_t i = 0; i < members.numel(); ++i) {
      const auto picture = dataset.images[members[i].item<std::int64_t>()].permute({1, 2, 0});
      sheet.narrow(0, kGap + k * height, shape[1]).narrow(1, kGap + i * width, shape[2]).copy_(picture);
    }
  }
  const auto* pixels = sheet.data_ptr<std::uint8_t>();
  return {.width = sheet.size(1),
          .height = sheet.size(0),
          .channels = channels,
          .pixels = {pixels, pixels + sheet.numel()}};
}

}  // namespace infoscissors::data
