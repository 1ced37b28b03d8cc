#include "infoscissors/base/npy.h"

#include "infoscissors/base/error.h"
#include "infoscissors/base/file.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <regex>

namespace infoscissors::base {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kLongestHeader = 10000;  // NumPy's own limit; also keeps std::regex off the end of the stack

struct Header {
  std::string text;
  std::size_t end;  // where the data begins
};

Header split_header(const std::string& content, const std::string& file) {
  if (content.size() < 10 || !std::string_view(content).starts_with(kMagic)) throw Error("{}: not a .npy file", file);
  const auto byte = [&](std::size_t i) { return static_cast<std::size_t>(static_cast<unsigned char>(content[i])); };
  const auto major = byte(6);
  if (major < 1 || major > 3) throw Error("{}: .npy version {} is not known", file, major);
  std::size_t length = byte(8) | byte(9) << 8;
  std::size_t begin = 10;
  if (major > 1) {
    if (content.size() < 12) throw Error("{}: truncated in its header", file);
    length |= byte(10) << 16 | byte(11) << 24;
    begin = 12;
  }
  if (length > kLongestHeader) throw Error("{}: its .npy header is malformed: {} bytes are too long", file, length);
  if (length > content.size() - begin) throw Error("{}: truncated in its header", file);
  return {content.substr(begin, length), begin + length};
}

std::string capture(const std::string& text, const char* pattern, const std::string& file) {
  std::smatch match;
  if (!std::regex_search(text, match, std::regex(pattern))) throw Error("{}: its .npy header is malformed", file);
  return match[1];
}

std::vector<std::int64_t> parse_shape(const std::string& text, const std::string& file) {
  std::vector<std::int64_t> shape;
  const char* at = text.data();
  const char* end = at + text.size();
  while (at != end) {
    std::int64_t size = 0;
    const auto result = std::from_chars(at, end, size);
    if (result.ec != std::errc() || size < 0) throw Error("{}: its .npy shape is malformed", file);
    shape.push_back(size);
    at = result.ptr;
    if (at != end && *at == 'L') ++at;  // written by Python 2
    if (at != end && *at != ',') throw Error("{}: its .npy shape is malformed", file);
    while (at != end && (*at == ',' || *at == ' ')) ++at;
  }
  return shape;
}

std::uint64_t byte_count(const NpyArray& array, const std::string& file) {
  std::uint64_t bytes = std::stoull(array.dtype.substr(2));
  // Zeros count as one here: who computes strides multiplies the other sizes even where the array is empty.
  std::uint64_t span = bytes;
  for (const auto size : array.shape) {
    const bool overflow =
        __builtin_mul_overflow(span, static_cast<std::uint64_t>(std::max<std::int64_t>(size, 1)), &span);
    if (overflow || span > std::uint64_t{std::numeric_limits<std::int64_t>::max()}) {
      throw Error("{}: impossible shape", file);
    }
    bytes *= static_cast<std::uint64_t>(size);
  }
  return bytes;
}

}  // namespace

NpyArray parse_npy(const std::string& content, const std::string& file) {
  const Header header = split_header(content, file);
  NpyArray array;
  array.dtype = capture(header.text, R"('descr':\s*'([<>|=][a-zA-Z][0-9]{1,2})')", file);
  array.fortran_order = capture(header.text, R"('fortran_order':\s*(True|False))", file) == "True";
  array.shape = parse_shape(capture(header.text, R"('shape':\s*\(([0-9, L]*)\))", file), file);
  if (array.dtype[0] == '>') throw Error("{}: big-endian numbers are not supported", file);
  const auto bytes = byte_count(array, file);
  const std::uint64_t there = content.size() - header.end;
  if (bytes != there) throw Error("{}: its header announces {} bytes of data, but {} follow", file, bytes, there);
  array.data = content.substr(header.end);
  return array;
}

NpyArray read_npy(const std::filesystem::path& path) {
  return parse_npy(read_file(path), path.string());
}

void write_npy(const std::filesystem::path& path, const NpyArray& array) {
  std::string shape;
  for (const auto size : array.shape) shape += fmt::format("{}, ", size);
  std::string text = fmt::format("{{'descr': '{}', 'fortran_order': {}, 'shape': ({}), }}", array.dtype,
                                 array.fortran_order ? "True" : "False", shape);
  const std::size_t unpadded = kMagic.size() + 4 + text.size() + 1;
  text.append((64 - unpadded % 64) % 64, ' ');
  text += '\n';
  std::string content(kMagic);
  content += {'\x01', '\x00', static_cast<char>(text.size() & 0xff), static_cast<char>(text.size() >> 8)};
  write_file(path, content + text + array.data);
}

}  // namespace infoscissors::base
