#include "infoscissors/base/error.h"
#include "infoscissors/image/image.h"

#ifdef INFOSCISSORS_CODECS

#include <zlib.h>

#include <algorithm>
#include <limits>

namespace infoscissors::image {
namespace {

using base::Error;

struct Inflater {
  z_stream stream{};
  // 16 asks zlib for the gzip wrapping, whose checksum and length it then verifies.
  Inflater() {
    if (inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK) throw Error("zlib cannot be initialised");
  }
  ~Inflater() { inflateEnd(&stream); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
};

}  // namespace

std::string gunzip(std::string_view bytes, std::size_t limit, const std::string& name) {
  if (bytes.size() > std::numeric_limits<uInt>::max()) throw Error("{}: a gzip file of more than 4 GiB", name);
  Inflater inflater;
  z_stream& stream = inflater.stream;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  std::string result;
  std::string block(std::size_t{1} << 18, '\0');
  for (;;) {
    stream.next_out = reinterpret_cast<Bytef*>(block.data());
    stream.avail_out = static_cast<uInt>(block.size());
    const int code = inflate(&stream, Z_NO_FLUSH);
    const std::size_t produced = block.size() - stream.avail_out;
    if (produced > limit - result.size()) throw Error("{}: inflates to more than the {} bytes expected", name, limit);
    result.append(block, 0, produced);
    if (code == Z_STREAM_END) {
      if (stream.avail_in == 0) return result;
      inflateReset(&stream);  // a gzip file may consist of several members
    } else if (code == Z_BUF_ERROR || (code == Z_OK && stream.avail_in == 0 && produced == 0)) {
      throw Error("{}: truncated gzip file", name);
    } else if (code != Z_OK) {
      throw Error("{}: not a gzip file, or damaged: {}", name, stream.msg != nullptr ? stream.msg : "bad data");
    }
  }
}

}  // namespace infoscissors::image

#endif
