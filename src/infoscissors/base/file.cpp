#include "infoscissors/base/file.h"

#include "infoscissors/base/error.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <string>
#include <system_error>
#include <vector>

namespace infoscissors::base {
namespace {

namespace fs = std::filesystem;

std::string reason(int code) {
  return std::generic_category().message(code);
}

void flush_to_disk(const fs::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return;
  ::fsync(descriptor);
  ::close(descriptor);
}

}  // namespace

std::string read_file(const fs::path& path) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) throw Error("{}: is a directory, not a file", path.string());
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  if (!in) throw Error("{}: cannot be read: {}", path.string(), reason(errno));
  // Read by the stream itself: copying from its buffer would take an I/O error in the middle for the end of the file.
  std::string content;
  std::vector<char> block(1 << 16);
  while (in.read(block.data(), static_cast<std::streamsize>(block.size())) || in.gcount() > 0) {
    content.append(block.data(), static_cast<std::size_t>(in.gcount()));
  }
  if (in.bad()) throw Error("{}: cannot be read: {}", path.string(), reason(errno));
  return content;
}

void write_file(const fs::path& path, const std::function<void(std::ostream&)>& produce) {
  const fs::path temporary = path.string() + fmt::format(".tmp{}", ::getpid());
  try {
    errno = 0;
    std::ofstream out(temporary, std::ios::binary | std::ios::trunc);
    if (!out) throw Error("{}: cannot be written: {}", path.string(), reason(errno));
    produce(out);
    out.flush();
    const int code = errno;
    out.close();
    if (!out) throw Error("{}: cannot be written: {}", path.string(), reason(code != 0 ? code : ENOSPC));
    flush_to_disk(temporary);
    fs::rename(temporary, path);
  } catch (const fs::filesystem_error& error) {
    std::error_code ignored;
    fs::remove(temporary, ignored);
    throw Error("{}: cannot be written: {}", path.string(), error.code().message());
  } catch (...) {
    std::error_code ignored;
    fs::remove(temporary, ignored);
    throw;
  }
}

void write_file(const fs::path& path, std::string_view content) {
  write_file(path, [&](std::ostream& out) { out.write(content.data(), static_cast<std::streamsize>(content.size())); });
}

void ensure_directory(const fs::path& path) {
  std::error_code code;
  fs::create_directories(path, code);
  if (code || !fs::is_directory(path, code)) {
    throw Error("{}: cannot be created as a directory: {}", path.string(),
                code ? code.message() : "a file is in the way");
  }
  if (::access(path.c_str(), W_OK | X_OK) != 0) throw Error("{}: is not writable: {}", path.string(), reason(errno));
}

}  // namespace infoscissors::base
