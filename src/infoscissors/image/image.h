#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// Pictures as files. Needs the component "codecs"; without it encoding, decoding and inflating throw an Error that
/// says so.
namespace infoscissors::image {

/// The most pixels a picture may have. Sizes are checked against it before memory is taken.
inline constexpr std::int64_t kMaxPixels = std::int64_t{1} << 26;

/// 8-bit pixels, row by row, channels interleaved: 1 (grey) or 3 (RGB).
struct Image {
  std::int64_t width = 0, height = 0, channels = 0;
  std::vector<std::uint8_t> pixels;  // height * width * channels
};

bool codecs_available();

/// PNG or JPEG by content. 16-bit, palette and alpha are converted (alpha over white); CMYK is refused. Throws Error
/// with `name` for anything that is damaged, cut short or larger than kMaxPixels.
Image decode(std::string_view bytes, const std::string& name);

/// Throws Error when the sizes and the pixels disagree.
std::string encode_png(const Image& image);

/// Resizes with area averaging (down) or bilinear interpolation (up) so that the shorter side is `size`, then cuts the
/// centre square. Throws Error for an empty image or a size outside [1, 8192].
Image resize_and_crop(const Image& image, std::int64_t size);

/// Inflates a gzip file's bytes; more than `limit` bytes are an error. Throws Error with `name`.
std::string gunzip(std::string_view bytes, std::size_t limit, const std::string& name);

}  // namespace infoscissors::image
