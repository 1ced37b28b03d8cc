#include "infoscissors/base/error.h"
#include "infoscissors/image/format.h"
#include "infoscissors/image/image.h"

#ifdef INFOSCISSORS_CODECS

#include <csetjmp>
#include <cstdio>

#include <jpeglib.h>

#include <jerror.h>

namespace infoscissors::image {
namespace {

using base::Error;

/// libjpeg reports errors by calling a function that must not return, so each step below runs behind a setjmp in a
/// function that holds no object with a destructor.
struct Decoder {
  jpeg_decompress_struct info{};
  jpeg_error_mgr errors{};
  std::jmp_buf escape{};
  char message[JMSG_LENGTH_MAX] = {};
  bool damaged = false;

  Decoder() = default;
  ~Decoder() { jpeg_destroy_decompress(&info); }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
};

[[noreturn]] void fail(j_common_ptr info) {
  auto* decoder = static_cast<Decoder*>(info->client_data);
  info->err->format_message(info, decoder->message);
  std::longjmp(decoder->escape, 1);
}

/// libjpeg only warns where it invents pixels for data that are missing; in a data set that is an error. Other
/// warnings (stray bytes between segments) cost no pixel.
void note_warning(j_common_ptr info, int level) {
  if (level >= 0) return;
  auto* decoder = static_cast<Decoder*>(info->client_data);
  switch (info->err->msg_code) {
    case JWRN_JPEG_EOF:
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_MUST_RESYNC:
    case JWRN_ARITH_BAD_CODE:
      if (!decoder->damaged) info->err->format_message(info, decoder->message);
      decoder->damaged = true;
      break;
    default:
      break;
  }
}

bool read_header(Decoder& decoder, std::string_view bytes) {
  decoder.info.err = jpeg_std_error(&decoder.errors);
  decoder.errors.error_exit = fail;
  decoder.errors.emit_message = note_warning;
  decoder.errors.output_message = [](j_common_ptr) {};
  decoder.info.client_data = &decoder;
  if (setjmp(decoder.escape) != 0) return false;
  jpeg_create_decompress(&decoder.info);
  jpeg_mem_src(&decoder.info, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  jpeg_read_header(&decoder.info, TRUE);
  return true;
}

bool read_rows(Decoder& decoder, std::uint8_t* pixels, std::size_t stride) {
  if (setjmp(decoder.escape) != 0) return false;
  jpeg_start_decompress(&decoder.info);
  while (decoder.info.output_scanline < decoder.info.output_height) {
    JSAMPROW row = pixels + decoder.info.output_scanline * stride;
    jpeg_read_scanlines(&decoder.info, &row, 1);
  }
  jpeg_finish_decompress(&decoder.info);
  return !decoder.damaged;
}

}  // namespace

Image decode_jpeg(std::string_view bytes, const std::string& name) {
  Decoder decoder;
  if (!read_header(decoder, bytes)) throw Error("{}: damaged JPEG: {}", name, decoder.message);
  auto& info = decoder.info;
  check_size(info.image_width, info.image_height, name);
  if (info.num_components != 1 && info.num_components != 3) {
    throw Error("{}: a JPEG with {} colour components (CMYK?); convert it to RGB or grey", name, info.num_components);
  }
  info.out_color_space = info.num_components == 1 ? JCS_GRAYSCALE : JCS_RGB;
  Image image{.width = info.image_width, .height = info.image_height, .channels = info.num_components, .pixels = {}};
  const auto stride = static_cast<std::size_t>(image.width * image.channels);
  image.pixels.resize(stride * static_cast<std::size_t>(image.height));
  if (!read_rows(decoder, image.pixels.data(), stride)) throw Error("{}: damaged JPEG: {}", name, decoder.message);
  return image;
}

}  // namespace infoscissors::image

#endif
