#include "infoscissors/device/stream.h"

#include "infoscissors/base/error.h"

#include <algorithm>
#include <istream>

namespace infoscissors::device {
namespace {

constexpr std::size_t kPngSignature = 8, kChunkFrame = 12;  // length, type and checksum of a PNG chunk
constexpr unsigned char kStart = 0xd8, kEnd = 0xd9, kScan = 0xda, kFirstRestart = 0xd0, kLastRestart = 0xd7;

unsigned char byte(char c) {
  return static_cast<unsigned char>(c);
}

}  // namespace

void PictureStream::fail(const char* why) const {
  throw base::Error("{}: picture {}: {}", name_, count_, why);
}

char PictureStream::take() {
  const int next = in_.get();
  if (next == std::istream::traits_type::eof()) fail("is cut short");
  if (picture_.size() >= kMaxBytes) fail("is larger than is accepted");
  picture_.push_back(static_cast<char>(next));
  return picture_.back();
}

void PictureStream::take(std::size_t count) {
  if (count > kMaxBytes - picture_.size()) fail("is larger than is accepted");
  // In blocks: memory is taken for what has arrived, not for what a header claims.
  while (count > 0) {
    const auto before = picture_.size(), block = std::min<std::size_t>(count, 1 << 16);
    picture_.resize(before + block);
    in_.read(picture_.data() + before, static_cast<std::streamsize>(block));
    if (static_cast<std::size_t>(in_.gcount()) != block) fail("is cut short");
    count -= block;
  }
}

void PictureStream::take_png() {
  take(kPngSignature - 1);
  for (bool last = false; !last;) {
    const auto at = picture_.size();
    take(kChunkFrame - 4);
    std::size_t length = 0;
    for (std::size_t i = 0; i < 4; ++i) length = length << 8 | byte(picture_[at + i]);
    last = picture_.compare(at + 4, 4, "IEND") == 0;
    take(length + 4);
  }
}

/// Compressed data up to the next marker that is none of its own.
void PictureStream::take_jpeg_scan(unsigned char& marker) {
  for (;;) {
    if (byte(take()) != 0xff) continue;
    do {
      marker = byte(take());
    } while (marker == 0xff);
    if (marker != 0 && (marker < kFirstRestart || marker > kLastRestart)) return;
  }
}

void PictureStream::take_jpeg() {
  if (byte(take()) != kStart) fail("begins like neither PNG nor JPEG");
  for (unsigned char marker = 0; marker != kEnd;) {
    if (marker == kScan) {
      take_jpeg_scan(marker);
    } else {
      if (byte(take()) != 0xff) fail("is damaged: a JPEG marker was expected");
      do {
        marker = byte(take());
      } while (marker == 0xff);
    }
    if (marker == kEnd) return;
    const std::size_t high = byte(take()), length = high << 8 | byte(take());
    if (length < 2) fail("is damaged: an impossible JPEG segment");
    take(length - 2);
  }
}

std::optional<std::string> PictureStream::next() {
  picture_.clear();
  ++count_;
  if (in_.peek() == std::istream::traits_type::eof()) {
    if (in_.bad()) fail("cannot be read");
    return std::nullopt;
  }
  const auto first = byte(take());
  if (first == 0x89) {
    take_png();
  } else if (first == 0xff) {
    take_jpeg();
  } else {
    fail("begins like neither PNG nor JPEG");
  }
  return std::move(picture_);
}

}  // namespace infoscissors::device
