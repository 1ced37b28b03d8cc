#include "infoscissors/base/file.h"
#include "infoscissors/tracking/crc32c.h"
#include "infoscissors/tracking/log.h"

#include <bit>
#include <cstring>

namespace infoscissors::tracking {
namespace {

// The few messages of tensorflow/core/util/event.proto and framework/summary.proto that are written, by field number:
// the wire format is short, and their generated code would bring TensorFlow's.
enum EventField { kWallTime = 1, kStep = 2, kFileVersion = 3, kSummary = 5 };
enum SummaryField { kValue = 1 };
enum ValueField { kTag = 1, kSimpleValue = 2, kImage = 4 };
enum ImageField { kHeight = 1, kWidth = 2, kColorspace = 3, kEncoded = 4 };
constexpr std::int64_t kRgb = 3;
constexpr const char* kFileName = "events.out.tfevents.0.infoscissors";  // viewers look for "tfevents"

enum WireType : std::uint64_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

static_assert(std::endian::native == std::endian::little, "numbers are copied as they lie in memory");

template <class Number>
std::string raw(Number number) {
  std::string bytes(sizeof number, '\0');
  std::memcpy(bytes.data(), &number, sizeof number);
  return bytes;
}

std::string varint(std::uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7U) bytes += static_cast<char>(value | 0x80U);
  return bytes + static_cast<char>(value);
}

std::string key(std::uint64_t field, WireType type) {
  return varint(field << 3U | type);
}

std::string bytes_field(std::uint64_t field, const std::string& bytes) {
  return key(field, kBytes) + varint(bytes.size()) + bytes;
}

std::string integer_field(std::uint64_t field, std::int64_t value) {
  return key(field, kVarint) + varint(static_cast<std::uint64_t>(value));
}

// One entry of a TFRecord file.
std::string framed(const std::string& message) {
  const std::string length = raw(static_cast<std::uint64_t>(message.size()));
  return length + raw(masked_crc32c(length)) + message + raw(masked_crc32c(message));
}

std::string event(double time, std::int64_t step, const std::string& what) {
  return framed(key(kWallTime, kFixed64) + raw(time) + integer_field(kStep, step) + what);
}

std::string version_event(double time) {
  return framed(key(kWallTime, kFixed64) + raw(time) + bytes_field(kFileVersion, "brain.Event:2"));
}

std::string summary(const std::string& value) {
  return bytes_field(kSummary, bytes_field(kValue, value));
}

}  // namespace

std::string event_file(const Log& log) {
  const double begin = log.end - log.seconds;
  std::int64_t last = 1;
  for (const auto& scalar : log.scalars) last = std::max(last, scalar.step);
  std::string file = version_event(begin);
  for (const auto& scalar : log.scalars) {
    // Only the end is recorded; epochs are spread evenly before it.
    const double time = begin + log.seconds * static_cast<double>(scalar.step) / static_cast<double>(last);
    file += event(
        time, scalar.step,
        summary(bytes_field(kTag, scalar.tag) + key(kSimpleValue, kFixed32) + raw(static_cast<float>(scalar.value))));
  }
  return file;
}

std::string event_file(const std::vector<Image>& images, double time) {
  std::string file = version_event(time);
  for (const auto& image : images) {
    const std::string picture = integer_field(kHeight, image.height) + integer_field(kWidth, image.width) +
                                integer_field(kColorspace, kRgb) + bytes_field(kEncoded, image.png);
    file += event(time, 0, summary(bytes_field(kTag, image.name) + bytes_field(kImage, picture)));
  }
  return file;
}

std::size_t write_tensorboard(const std::vector<Log>& logs, const std::vector<Image>& images,
                              const std::filesystem::path& out) {
  double time = 0;
  for (const auto& log : logs) {
    base::ensure_directory(out / log.name);
    base::write_file(out / log.name / kFileName, event_file(log));
    time = std::max(time, log.end);
  }
  if (images.empty()) return logs.size();
  base::ensure_directory(out / "figures");
  base::write_file(out / "figures" / kFileName, event_file(images, time));
  return logs.size() + 1;
}

}  // namespace infoscissors::tracking
