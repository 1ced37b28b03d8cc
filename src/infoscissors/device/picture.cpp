#include "infoscissors/device/picture.h"

#include "infoscissors/base/error.h"

namespace infoscissors::device {
namespace {

using base::Error;

image::Image fitted(const image::Image& picture, std::int64_t height, std::int64_t width, Fit fit) {
  if (picture.height == height && picture.width == width) return picture;
  if (fit == Fit::refuse || height != width) {
    throw Error("the picture has {}x{} pixels; the network takes {}x{}{}", picture.width, picture.height, width, height,
                height == width ? "" : " and only square pictures are resized");
  }
  return image::resize_and_crop(picture, height);
}

/// (channels, H, W) uint8; grey is repeated, colour becomes grey by the luma weights of ITU-R BT.601, as when folders
/// of pictures are read for training.
torch::Tensor planes(const image::Image& picture, std::int64_t channels) {
  const auto count = picture.height * picture.width * picture.channels;
  if (static_cast<std::int64_t>(picture.pixels.size()) != count) throw Error("a picture has not the pixels it claims");
  auto* pixels = const_cast<std::uint8_t*>(picture.pixels.data());  // from_blob takes no const; nothing is written
  const auto stored =
      torch::from_blob(pixels, {picture.height, picture.width, picture.channels}, torch::kUInt8).permute({2, 0, 1});
  if (picture.channels == channels) return stored.clone();
  if (channels == 3) return stored.expand({3, picture.height, picture.width}).clone();
  const auto weights = torch::tensor({0.299, 0.587, 0.114}).view({3, 1, 1});
  return (stored * weights).sum(0, true).round().to(torch::kUInt8);
}

}  // namespace

torch::Tensor to_tensor(const std::vector<image::Image>& pictures, const std::vector<std::int64_t>& shape, Fit fit) {
  std::vector<torch::Tensor> all;
  for (const auto& picture : pictures) all.push_back(planes(fitted(picture, shape[1], shape[2], fit), shape[0]));
  return torch::stack(all).to(torch::kFloat32).div_(255);
}

}  // namespace infoscissors::device
