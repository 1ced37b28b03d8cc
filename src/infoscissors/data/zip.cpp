#include "infoscissors/data/zip.h"

#include "infoscissors/base/error.h"
#include "infoscissors/image/image.h"

#include <algorithm>
#include <string_view>

namespace infoscissors::data {
namespace {

using base::Error;

constexpr std::uint32_t kEnd = 0x06054b50, kEnd64 = 0x06064b50, kLocator64 = 0x07064b50;
constexpr std::uint32_t kCentral = 0x02014b50, kLocal = 0x04034b50;
constexpr std::size_t kEndSize = 22, kLongestComment = 65535;
constexpr std::uint32_t kIn64 = 0xffffffff;  // "see the ZIP64 field"

/// Little-endian numbers at checked places.
class Bytes {
 public:
  Bytes(const std::string& content, const std::string& name) : content_(content), name_(name) {}

  std::uint64_t number(std::uint64_t at, int width) const {
    const auto text = part(at, static_cast<std::uint64_t>(width));
    std::uint64_t value = 0;
    for (int i = width - 1; i >= 0; --i)
      value = value << 8 | static_cast<unsigned char>(text[static_cast<std::size_t>(i)]);
    return value;
  }
  std::uint16_t u16(std::uint64_t at) const { return static_cast<std::uint16_t>(number(at, 2)); }
  std::uint32_t u32(std::uint64_t at) const { return static_cast<std::uint32_t>(number(at, 4)); }
  std::uint64_t u64(std::uint64_t at) const { return number(at, 8); }

  std::string_view part(std::uint64_t at, std::uint64_t size) const {
    if (at > content_.size() || size > content_.size() - at) throw Error("{}: damaged or truncated archive", name_);
    return std::string_view(content_).substr(at, size);
  }

 private:
  const std::string& content_;
  const std::string& name_;
};

std::uint64_t find_end(const Bytes& bytes, std::size_t size, const std::string& name) {
  if (size >= kEndSize) {
    const std::size_t last = size - kEndSize;
    const std::size_t first = last > kLongestComment ? last - kLongestComment : 0;
    for (std::size_t at = last + 1; at-- > first;) {
      if (bytes.u32(at) == kEnd && bytes.u16(at + 20) == last - at) return at;  // followed by its comment and no more
    }
  }
  throw Error("{}: not a .npz archive", name);
}

struct Directory {
  std::uint64_t begin, count;
};

Directory find_directory(const Bytes& bytes, std::size_t size, const std::string& name) {
  const auto end = find_end(bytes, size, name);
  Directory directory{bytes.u32(end + 16), bytes.u16(end + 10)};
  if (end >= 20 && bytes.u32(end - 20) == kLocator64) {
    const auto end64 = bytes.u64(end - 20 + 8);
    if (bytes.u32(end64) != kEnd64) throw Error("{}: damaged or truncated archive", name);
    directory = {bytes.u64(end64 + 48), bytes.u64(end64 + 32)};
  }
  return directory;
}

// The numbers that do not fit 32 bits stand, in this order, in the extra field 1.
void read_extra(const Bytes& bytes, std::uint64_t at, std::uint64_t length, ZipArchive::Entry& entry) {
  const auto end = at + length;
  while (at + 4 <= end) {
    const auto id = bytes.u16(at);
    const std::uint64_t size = bytes.u16(at + 2);
    at += 4;
    if (id == 1) {
      auto field = at;
      for (auto* value : {&entry.size, &entry.packed, &entry.header}) {
        if (*value != kIn64) continue;
        *value = bytes.u64(field);
        field += 8;
      }
    }
    at += size;
  }
}

std::uint32_t crc32(std::string_view text) {
  std::uint32_t crc = ~std::uint32_t{0};
  for (const char c : text) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xedb88320U : 0U);
  }
  return ~crc;
}

// A gzip file is the deflated data between a fixed header and checksum and length, which the archive knows.
std::string inflate(std::string_view packed, const ZipArchive::Entry& entry, const std::string& name) {
  std::string file("\x1f\x8b\x08\0\0\0\0\0\0\xff", 10);
  file += packed;
  for (const std::uint64_t number : {std::uint64_t{entry.checksum}, entry.size}) {
    for (int i = 0; i < 4; ++i) file += static_cast<char>(number >> 8 * i & 0xff);
  }
  return image::gunzip(file, entry.size, name);
}

}  // namespace

ZipArchive::ZipArchive(std::string content, std::string name) : content_(std::move(content)), name_(std::move(name)) {
  const Bytes bytes(content_, name_);
  const auto directory = find_directory(bytes, content_.size(), name_);
  auto at = directory.begin;
  for (std::uint64_t i = 0; i < directory.count; ++i) {
    if (bytes.u32(at) != kCentral) throw Error("{}: damaged or truncated archive", name_);
    Entry entry{.method = bytes.u16(at + 10),
                .flags = bytes.u16(at + 8),
                .checksum = bytes.u32(at + 16),
                .packed = bytes.u32(at + 20),
                .size = bytes.u32(at + 24),
                .header = bytes.u32(at + 42)};
    const std::uint64_t length = bytes.u16(at + 28), extra = bytes.u16(at + 30), comment = bytes.u16(at + 32);
    read_extra(bytes, at + 46 + length, extra, entry);
    entries_[std::string(bytes.part(at + 46, length))] = entry;
    at += 46 + length + extra + comment;
  }
}

std::string ZipArchive::read(const std::string& file) const {
  const auto found = entries_.find(file);
  if (found == entries_.end()) throw Error("{}: there is no file '{}' in it", name_, file);
  const Entry& entry = found->second;
  const std::string shown = name_ + ":" + file;
  if ((entry.flags & 1) != 0) throw Error("{}: is encrypted", shown);
  const Bytes bytes(content_, name_);
  if (bytes.u32(entry.header) != kLocal) throw Error("{}: damaged or truncated archive", name_);
  const auto begin = entry.header + 30 + bytes.u16(entry.header + 26) + bytes.u16(entry.header + 28);
  const auto packed = bytes.part(begin, entry.packed);
  if (entry.method == 8) return inflate(packed, entry, shown);
  if (entry.method != 0)
    throw Error("{}: is packed with a method (number {}) that NumPy does not use", shown, entry.method);
  if (entry.packed != entry.size || crc32(packed) != entry.checksum) throw Error("{}: is damaged", shown);
  return std::string(packed);
}

}  // namespace infoscissors::data
