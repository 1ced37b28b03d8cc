#include "infoscissors/report/pictures.h"

#include "infoscissors/base/error.h"
#include "infoscissors/base/hash.h"
#include "infoscissors/image/image.h"
#include "infoscissors/report/escape.h"

namespace infoscissors::report {

Pictures::Pictures(const std::filesystem::path& file) : array_(base::read_npy(file)) {
  const auto& shape = array_.shape;
  const bool right = array_.dtype == "|u1" && !array_.fortran_order && shape.size() == 4 &&
                     (shape[1] == 1 || shape[1] == 3) && shape[2] > 0 && shape[3] > 0;
  if (!right) throw base::Error("{}: must hold uint8 images (N, C, H, W) with C = 1 or 3, in C order", file.string());
}

std::string Pictures::data_uri(std::int64_t index) const {
  const auto channels = array_.shape[1];
  const auto area = array_.shape[2] * array_.shape[3];
  image::Image picture{.width = array_.shape[3], .height = array_.shape[2], .channels = channels, .pixels = {}};
  picture.pixels.resize(static_cast<std::size_t>(channels * area));
  const auto* planes = reinterpret_cast<const std::uint8_t*>(array_.data.data()) + index * channels * area;
  for (std::int64_t c = 0; c < channels; ++c) {
    for (std::int64_t i = 0; i < area; ++i)
      picture.pixels[static_cast<std::size_t>(i * channels + c)] = planes[c * area + i];
  }
  return "data:image/png;base64," + base64(image::encode_png(picture));
}

std::string Pictures::hash() const {
  return base::content_hash(array_.data);
}

}  // namespace infoscissors::report
