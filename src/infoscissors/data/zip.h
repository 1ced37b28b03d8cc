#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace infoscissors::data {

/// The files of a ZIP archive by name, as far as np.savez writes them: stored or deflated, ZIP64 or not, unencrypted.
class ZipArchive {
 public:
  /// Reads the directory. Throws Error naming `name` for anything that is not an archive, or damaged.
  ZipArchive(std::string content, std::string name);

  /// name -> place in the archive.
  struct Entry {
    std::uint16_t method = 0, flags = 0;
    std::uint32_t checksum = 0;          // CRC-32 of the file
    std::uint64_t packed = 0, size = 0;  // bytes in the archive, bytes of the file
    std::uint64_t header = 0;            // where its local header begins
  };
  const std::map<std::string, Entry>& entries() const { return entries_; }

  /// The bytes of one file, checked against the recorded size and checksum. Throws Error.
  std::string read(const std::string& file) const;

 private:
  std::string content_, name_;
  std::map<std::string, Entry> entries_;
};

}  // namespace infoscissors::data
