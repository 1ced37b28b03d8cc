#include "infoscissors/base/error.h"
#include "infoscissors/data/fetch.h"

#ifdef INFOSCISSORS_FETCH

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>

namespace infoscissors::data {
namespace {

namespace fs = std::filesystem;
using base::Error;
using Reader = std::unique_ptr<archive, decltype(&archive_read_free)>;

std::string reason(archive* reader) {
  const char* text = archive_error_string(reader);
  return text != nullptr ? text : "unknown error";
}

/// The entry's path below the target; empty for the archive's own root.
fs::path safe_path(archive_entry* entry, const std::string& name) {
  const char* text = archive_entry_pathname(entry);
  const fs::path path = text != nullptr ? text : "";
  bool inside = !path.empty() && !path.is_absolute();
  for (const auto& part : path) inside = inside && part != "..";
  if (!inside) throw Error("{}: refused: it holds the path '{}', which leads outside", name, path.string());
  return path.lexically_normal();
}

void write_entry(archive* reader, const fs::path& path, const std::string& name) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
  if (descriptor < 0) throw Error("{}: cannot be written: {}", path.string(), std::strerror(errno));
  const int code = archive_read_data_into_fd(reader, descriptor);
  const bool closed = ::close(descriptor) == 0;
  if (code != ARCHIVE_OK) throw Error("{}: cannot be unpacked: {}", name, reason(reader));
  if (!closed) throw Error("{}: cannot be written: {}", path.string(), std::strerror(errno));
}

}  // namespace

void unpack(const fs::path& file, const fs::path& to, std::int64_t limit) {
  const std::string name = file.string();
  const Reader reader(archive_read_new(), archive_read_free);
  archive_read_support_filter_gzip(reader.get());
  archive_read_support_format_tar(reader.get());
  if (archive_read_open_filename(reader.get(), name.c_str(), 1 << 16) != ARCHIVE_OK) {
    throw Error("{}: not a tar archive: {}", name, reason(reader.get()));
  }
  std::int64_t total = 0;
  for (;;) {
    archive_entry* entry = nullptr;
    const int code = archive_read_next_header(reader.get(), &entry);
    if (code == ARCHIVE_EOF) return;
    if (code != ARCHIVE_OK) throw Error("{}: cannot be unpacked: {}", name, reason(reader.get()));
    const fs::path path = to / safe_path(entry, name);
    const bool link = archive_entry_hardlink(entry) != nullptr || archive_entry_symlink(entry) != nullptr;
    const auto type = archive_entry_filetype(entry);
    if (link || (type != AE_IFREG && type != AE_IFDIR)) {
      throw Error("{}: refused: '{}' is neither a file nor a directory", name, archive_entry_pathname(entry));
    }
    total += archive_entry_size(entry);
    if (total > limit) throw Error("{}: refused: unpacks to more than {} bytes", name, limit);
    fs::create_directories(type == AE_IFDIR ? path : path.parent_path());
    if (type == AE_IFREG) write_entry(reader.get(), path, name);
  }
}

std::string file_md5(const fs::path& path) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  if (!context || EVP_DigestInit_ex(context.get(), EVP_md5(), nullptr) != 1)
    throw Error("this OpenSSL cannot compute MD5");
  std::ifstream in(path, std::ios::binary);
  if (!in) throw Error("{}: cannot be read: {}", path.string(), std::strerror(errno));
  std::array<char, 1 << 16> block{};
  while (in.read(block.data(), block.size()) || in.gcount() > 0) {
    EVP_DigestUpdate(context.get(), block.data(), static_cast<std::size_t>(in.gcount()));
  }
  if (in.bad()) throw Error("{}: cannot be read", path.string());
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  EVP_DigestFinal_ex(context.get(), digest.data(), &length);
  std::string text;
  for (unsigned int i = 0; i < length; ++i) text += fmt::format("{:02x}", digest[i]);
  return text;
}

}  // namespace infoscissors::data

#endif
