#include "infoscissors/base/error.h"
#include "infoscissors/image/format.h"
#include "infoscissors/image/image.h"

#ifdef INFOSCISSORS_CODECS

#include <png.h>

namespace infoscissors::image {
namespace {

using base::Error;

/// libpng's simplified interface: errors come back as a code and a message, never through longjmp.
struct PngImage : png_image {
  PngImage() : png_image{} { version = PNG_IMAGE_VERSION; }
  ~PngImage() { png_image_free(this); }
  PngImage(const PngImage&) = delete;
  PngImage& operator=(const PngImage&) = delete;
};

/// The last of `channels` + 1 interleaved components is alpha; composed over white in the stored (not linear) values,
/// as image libraries for machine learning do.
std::vector<std::uint8_t> over_white(const std::vector<std::uint8_t>& pixels, std::int64_t channels) {
  const std::size_t step = static_cast<std::size_t>(channels) + 1;
  std::vector<std::uint8_t> result;
  result.reserve(pixels.size() / step * (step - 1));
  for (std::size_t at = 0; at < pixels.size(); at += step) {
    const unsigned alpha = pixels[at + step - 1];
    for (std::size_t c = 0; c + 1 < step; ++c) {
      result.push_back(static_cast<std::uint8_t>((pixels[at + c] * alpha + 255U * (255U - alpha) + 127U) / 255U));
    }
  }
  return result;
}

}  // namespace

Image decode_png(std::string_view bytes, const std::string& name) {
  PngImage png;
  if (png_image_begin_read_from_memory(&png, bytes.data(), bytes.size()) == 0) {
    throw Error("{}: damaged PNG: {}", name, png.message);
  }
  check_size(png.width, png.height, name);
  Image image{.width = png.width,
              .height = png.height,
              .channels = (png.format & PNG_FORMAT_FLAG_COLOR) != 0 ? 3 : 1,
              .pixels = {}};
  const bool alpha = (png.format & PNG_FORMAT_FLAG_ALPHA) != 0;
  const auto opaque = image.channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
  png.format = static_cast<png_uint_32>(opaque) | (alpha ? PNG_FORMAT_FLAG_ALPHA : 0U);
  // Without this libpng takes 16-bit files for linear light and brightens them.
  png.flags |= PNG_IMAGE_FLAG_16BIT_sRGB;
  std::vector<std::uint8_t> pixels(PNG_IMAGE_SIZE(png));
  if (png_image_finish_read(&png, nullptr, pixels.data(), 0, nullptr) == 0) {
    throw Error("{}: damaged PNG: {}", name, png.message);
  }
  image.pixels = alpha ? over_white(pixels, image.channels) : std::move(pixels);
  return image;
}

std::string encode_png(const Image& image) {
  if (image.channels != 1 && image.channels != 3) throw Error("a PNG needs 1 or 3 channels, got {}", image.channels);
  check_size(image.width, image.height, "PNG to be written");
  if (image.pixels.size() != static_cast<std::size_t>(image.width * image.height * image.channels)) {
    throw Error("an image of {}x{}x{} has {} pixel values", image.width, image.height, image.channels,
                image.pixels.size());
  }
  PngImage png;
  png.width = static_cast<png_uint_32>(image.width);
  png.height = static_cast<png_uint_32>(image.height);
  png.format = image.channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(png);
  std::string bytes(size, '\0');
  if (png_image_write_to_memory(&png, bytes.data(), &size, 0, image.pixels.data(), 0, nullptr) == 0) {
    throw Error("an image could not be encoded as PNG: {}", png.message);
  }
  bytes.resize(size);
  return bytes;
}

}  // namespace infoscissors::image

#endif
