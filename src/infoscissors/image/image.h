#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// Pictures as files. Needs the component "codecs"; without it encoding and decoding throw an Error that says so.
namespace infoscissors::image {

/// 8-bit pixels, row by row, channels interleaved: 1 (grey) or 3 (RGB).
struct Image {
  std::int64_t width = 0, height = 0, channels = 0;
  std::vector<std::uint8_t> pixels;
};

bool codecs_available();

/// PNG or JPEG by content. 16-bit, palette and alpha are converted (alpha over white). Sizes are checked (at most
/// 2^26 pixels) before memory is taken. Throws Error with `name`.
Image decode(std::string_view bytes, const std::string& name);
std::string encode_png(const Image& image);

/// Resizes with area averaging (down) or bilinear interpolation (up) so that the shorter side is `size`, then cuts the
/// centre square.
Image resize_and_crop(const Image& image, std::int64_t size);

/// Inflates a gzip file's bytes; more than `limit` bytes are an error. Throws Error with `name`.
std::string gunzip(std::string_view bytes, std::size_t limit, const std::string& name);

}  // namespace infoscissors::image
