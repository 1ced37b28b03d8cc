#include "infoscissors/report/pictures.h"

#include "infoscissors/base/hash.h"
#include "infoscissors/image/image.h"
#include "infoscissors/report/escape.h"

namespace infoscissors::report {

std::string Pictures::data_uri(std::int64_t index) const {
  image::Image picture{.width = width(), .height = height(), .channels = channels(), .pixels = {}};
  picture.pixels.reserve(static_cast<std::size_t>(width() * height() * channels()));
  for (std::int64_t row = 0; row < height(); ++row) {
    for (std::int64_t column = 0; column < width(); ++column) {
      const auto colour = pixel(index, row, column);
      for (std::int64_t c = 0; c < channels(); ++c) picture.pixels.push_back(colour[static_cast<std::size_t>(c)]);
    }
  }
  return "data:image/png;base64," + base64(image::encode_png(picture));
}

std::string Pictures::hash() const {
  return base::content_hash(bytes());
}

}  // namespace infoscissors::report
