#include "infoscissors/data/idx.h"

#include "infoscissors/base/error.h"
#include "infoscissors/base/file.h"
#include "infoscissors/image/image.h"

#include <cstring>

namespace infoscissors::data {
namespace {

namespace fs = std::filesystem;
using base::Error;

struct Content {
  std::string bytes;
  std::string name;  // of the file they came from
};

Content read_plain_or_gzip(const fs::path& path, std::size_t limit) {
  const fs::path compressed = path.string() + ".gz";
  if (fs::exists(path) || !fs::exists(compressed)) {
    if (fs::exists(path) && fs::is_regular_file(path) && fs::file_size(path) > limit) {
      throw Error("{}: {} bytes are more than the {} expected", path.string(), fs::file_size(path), limit);
    }
    return {base::read_file(path), path.string()};
  }
  return {image::gunzip(base::read_file(compressed), limit, compressed.string()), compressed.string()};
}

std::int64_t big_endian(const std::string& bytes, std::size_t at) {
  std::int64_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value = value * 256 + static_cast<unsigned char>(bytes[at + i]);
  return value;
}

}  // namespace

torch::Tensor read_idx(const fs::path& path, const std::vector<std::int64_t>& item, std::int64_t limit) {
  std::int64_t item_size = 1;
  for (const auto size : item) item_size *= size;
  const std::size_t header = 4 * (item.size() + 2);
  const auto [bytes, name] = read_plain_or_gzip(path, header + static_cast<std::size_t>(limit * item_size));
  if (bytes.size() < header) throw Error("{}: truncated: {} bytes is less than an IDX header", name, bytes.size());
  const std::int64_t magic = 0x0800 + static_cast<std::int64_t>(item.size()) + 1;
  if (big_endian(bytes, 0) != magic) {
    throw Error("{}: not the IDX file expected: it begins with {:#010x} instead of {:#010x}", name,
                big_endian(bytes, 0), magic);
  }
  std::vector<std::int64_t> shape = {big_endian(bytes, 4)};
  for (std::size_t i = 0; i < item.size(); ++i) {
    shape.push_back(big_endian(bytes, 8 + 4 * i));
    if (shape.back() != item[i]) throw Error("{}: items of size {} where {} was expected", name, shape.back(), item[i]);
  }
  if (shape[0] < 1 || shape[0] > limit) throw Error("{}: {} items, where 1 to {} were expected", name, shape[0], limit);
  const auto wanted = header + static_cast<std::size_t>(shape[0] * item_size);
  if (bytes.size() != wanted) {
    throw Error("{}: {}: {} bytes where {} were expected", name, bytes.size() < wanted ? "truncated" : "trailing bytes",
                bytes.size(), wanted);
  }
  auto tensor = torch::empty(shape, torch::kUInt8);
  std::memcpy(tensor.data_ptr(), bytes.data() + header, bytes.size() - header);
  return tensor;
}

}  // namespace infoscissors::data
