#include "infoscissors/base/error.h"
#include "infoscissors/image/image.h"

#include <algorithm>
#include <cmath>

namespace infoscissors::image {
namespace {

using base::Error;

/// The inputs `first`, first + 1, ... that make up one output sample, with weights that sum to 1.
struct Taps {
  std::int64_t first = 0;
  std::vector<float> weights;
};

/// The share of each input cell that the output cell [begin, end) covers.
Taps area_taps(double begin, double end, std::int64_t input) {
  Taps taps{.first = static_cast<std::int64_t>(std::floor(begin)), .weights = {}};
  const auto last = std::min(input, static_cast<std::int64_t>(std::ceil(end)));
  for (std::int64_t i = taps.first; i < last; ++i) {
    const double covered = std::min(end, static_cast<double>(i + 1)) - std::max(begin, static_cast<double>(i));
    taps.weights.push_back(static_cast<float>(std::max(0.0, covered) / (end - begin)));
  }
  return taps;
}

/// Linear between the centres of the two nearest input cells; the border continues flat.
Taps linear_taps(double centre, std::int64_t input) {
  const double position = std::clamp(centre - 0.5, 0.0, static_cast<double>(input - 1));
  const auto first = static_cast<std::int64_t>(position);
  const auto fraction = static_cast<float>(position - static_cast<double>(first));
  if (first + 1 >= input) return {.first = first, .weights = {1.0F}};
  return {.first = first, .weights = {1.0F - fraction, fraction}};
}

/// Taps of the `size` samples in the middle of an axis resized from `input` to `output` samples.
std::vector<Taps> axis_taps(std::int64_t input, std::int64_t output, std::int64_t size) {
  const double scale = static_cast<double>(input) / static_cast<double>(output);
  const std::int64_t offset = (output - size) / 2;
  std::vector<Taps> taps;
  for (std::int64_t i = offset; i < offset + size; ++i) {
    const auto begin = static_cast<double>(i) * scale;
    taps.push_back(scale >= 1 ? area_taps(begin, begin + scale, input) : linear_taps(begin + scale / 2, input));
  }
  return taps;
}

/// Rows [first, last) of the image with each row resampled to taps.size() pixels.
std::vector<float> resample_rows(const Image& image, const std::vector<Taps>& taps, std::int64_t first,
                                 std::int64_t last) {
  std::vector<float> rows;
  rows.reserve(static_cast<std::size_t>(last - first) * taps.size() * static_cast<std::size_t>(image.channels));
  for (std::int64_t y = first; y < last; ++y) {
    const std::uint8_t* row = image.pixels.data() + y * image.width * image.channels;
    for (const auto& tap : taps) {
      for (std::int64_t c = 0; c < image.channels; ++c) {
        float sum = 0;
        const std::uint8_t* from = row + tap.first * image.channels + c;
        for (std::size_t k = 0; k < tap.weights.size(); ++k)
          sum += tap.weights[k] * static_cast<float>(from[static_cast<std::int64_t>(k) * image.channels]);
        rows.push_back(sum);
      }
    }
  }
  return rows;
}

void check(const Image& image, std::int64_t size) {
  const bool sane = image.width > 0 && image.height > 0 && (image.channels == 1 || image.channels == 3) &&
                    image.pixels.size() == static_cast<std::size_t>(image.width * image.height * image.channels);
  if (!sane)
    throw Error("an image of {}x{}x{} with {} pixel values cannot be resized", image.width, image.height,
                image.channels, image.pixels.size());
  if (size < 1 || size > 8192) throw Error("an image can be resized to 1 to 8192 pixels, not {}", size);
}

}  // namespace

Image resize_and_crop(const Image& image, std::int64_t size) {
  check(image, size);
  const std::int64_t shorter = std::min(image.width, image.height);
  const auto scaled = [&](std::int64_t side) { return std::max(size, (side * size + shorter / 2) / shorter); };
  const auto columns = axis_taps(image.width, scaled(image.width), size);
  const auto lines = axis_taps(image.height, scaled(image.height), size);
  const std::int64_t first = lines.front().first;
  const std::int64_t last = lines.back().first + static_cast<std::int64_t>(lines.back().weights.size());
  const auto rows = resample_rows(image, columns, first, last);
  const std::int64_t stride = size * image.channels;
  Image result{.width = size, .height = size, .channels = image.channels, .pixels = {}};
  result.pixels.reserve(static_cast<std::size_t>(size * stride));
  for (const auto& line : lines) {
    const float* from = rows.data() + (line.first - first) * stride;
    for (std::int64_t x = 0; x < stride; ++x) {
      float sum = 0;
      for (std::size_t k = 0; k < line.weights.size(); ++k)
        sum += line.weights[k] * from[static_cast<std::int64_t>(k) * stride + x];
      result.pixels.push_back(static_cast<std::uint8_t>(std::clamp(std::lround(sum), 0L, 255L)));
    }
  }
  return result;
}

}  // namespace infoscissors::image
