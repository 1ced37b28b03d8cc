#include "infoscissors/pki/private_file.h"

#include "infoscissors/base/error.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

namespace infoscissors::pki {
namespace {

bool write_all(int descriptor, std::string_view content) {
  while (!content.empty()) {
    const auto written = ::write(descriptor, content.data(), content.size());
    if (written < 0 && errno != EINTR) return false;
    if (written > 0) content.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

void write_private_file(const std::filesystem::path& path, std::string_view content) {
  const std::string temporary = path.string() + fmt::format(".tmp{}", ::getpid());
  const auto failed = [&] {
    const int code = errno;
    ::unlink(temporary.c_str());
    return base::Error("{}: cannot be written: {}", path.string(), std::generic_category().message(code));
  };
  ::unlink(temporary.c_str());
  // O_EXCL: nobody else can have put a file or a link in place that they could read.
  const int descriptor = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (descriptor < 0) throw failed();
  const bool good =
      ::fchmod(descriptor, S_IRUSR | S_IWUSR) == 0 && write_all(descriptor, content) && ::fsync(descriptor) == 0;
  const int code = errno;
  ::close(descriptor);
  errno = code;
  if (!good || std::rename(temporary.c_str(), path.c_str()) != 0) throw failed();
}

}  // namespace infoscissors::pki
