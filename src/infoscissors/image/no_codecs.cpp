#include "infoscissors/base/error.h"
#include "infoscissors/image/image.h"

#ifndef INFOSCISSORS_CODECS

namespace infoscissors::image {
namespace {

base::Error missing(const std::string& name, const char* need) {
  return base::Error("{}: {} needs the component \"codecs\" (zlib, libpng, libjpeg), which this build lacks", name,
                     need);
}

}  // namespace

bool codecs_available() {
  return false;
}
Image decode(std::string_view, const std::string& name) {
  throw missing(name, "decoding an image");
}
std::string encode_png(const Image&) {
  throw missing("PNG to be written", "encoding an image");
}
std::string gunzip(std::string_view, std::size_t, const std::string& name) {
  throw missing(name, "inflating gzip");
}

}  // namespace infoscissors::image

#endif
