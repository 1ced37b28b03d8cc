#pragma once

#include <cstddef>
#include <iosfwd>
#include <optional>
#include <string>

namespace infoscissors::device {

/// PNG and JPEG files one directly after the other, as `cat *.png` or a camera's MJPEG stream gives them. A picture
/// ends where its own format says, so nothing stands between them.
class PictureStream {
 public:
  static constexpr std::size_t kMaxBytes = std::size_t{1} << 26;  // of one picture

  /// `name` stands for the stream in errors. The stream must outlive the object.
  PictureStream(std::istream& in, std::string name) : in_(in), name_(std::move(name)) {}

  /// The next picture's bytes; nothing at the stream's end. Throws Error for anything that begins like neither format,
  /// for one that is cut short or larger than kMaxBytes, and for a stream that fails.
  std::optional<std::string> next();

 private:
  char take();
  void take(std::size_t count);
  void take_png();
  void take_jpeg();
  void take_jpeg_scan(unsigned char& marker);
  [[noreturn]] void fail(const char* why) const;

  std::istream& in_;
  std::string name_;
  std::string picture_;
  std::size_t count_ = 0;
};

}  // namespace infoscissors::device
