#pragma once

#include "infoscissors/image/image.h"

#include <string>
#include <string_view>

/// The decoders behind decode(), one a file format.
namespace infoscissors::image {

Image decode_png(std::string_view bytes, const std::string& name);
Image decode_jpeg(std::string_view bytes, const std::string& name);

/// Throws Error unless width and height are positive and their product is at most kMaxPixels.
void check_size(std::int64_t width, std::int64_t height, const std::string& name);

}  // namespace infoscissors::image
