#include "infoscissors/base/error.h"
#include "infoscissors/image/format.h"
#include "infoscissors/image/image.h"

#ifdef INFOSCISSORS_CODECS

namespace infoscissors::image {

using base::Error;

bool codecs_available() {
  return true;
}

void check_size(std::int64_t width, std::int64_t height, const std::string& name) {
  if (width < 1 || height < 1) throw Error("{}: an image of {}x{} pixels", name, width, height);
  if (width > kMaxPixels / height) {
    throw Error("{}: {}x{} pixels are more than the {} that are accepted", name, width, height, kMaxPixels);
  }
}

Image decode(std::string_view bytes, const std::string& name) {
  if (bytes.starts_with("\x89PNG\r\n\x1a\n")) return decode_png(bytes, name);
  if (bytes.starts_with("\xff\xd8\xff")) return decode_jpeg(bytes, name);
  throw Error("{}: neither a PNG nor a JPEG file", name);
}

}  // namespace infoscissors::image

#endif
