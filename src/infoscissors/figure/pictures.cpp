#include "infoscissors/figure/pictures.h"

#include "infoscissors/base/error.h"

namespace infoscissors::figure {

Pictures::Pictures(const std::filesystem::path& file) : array_(base::read_npy(file)) {
  const auto& shape = array_.shape;
  const bool right = array_.dtype == "|u1" && !array_.fortran_order && shape.size() == 4 &&
                     (shape[1] == 1 || shape[1] == 3) && shape[2] > 0 && shape[3] > 0;
  if (!right) throw base::Error("{}: must hold uint8 images (N, C, H, W) with C = 1 or 3, in C order", file.string());
}

std::array<std::uint8_t, 3> Pictures::pixel(std::int64_t image, std::int64_t row, std::int64_t column) const {
  const auto channels = array_.shape[1], area = height() * width();
  const auto at = image * channels * area + row * width() + column;
  std::array<std::uint8_t, 3> colour{};
  for (std::size_t c = 0; c < colour.size(); ++c) {
    const auto plane = channels == 1 ? 0 : static_cast<std::int64_t>(c);
    colour[c] = static_cast<std::uint8_t>(array_.data[static_cast<std::size_t>(at + plane * area)]);
  }
  return colour;
}

}  // namespace infoscissors::figure
