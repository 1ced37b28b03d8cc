// The server's TOML files: settings and access list.
#include "infoscissors/serve/access.h"
#include "infoscissors/serve/settings.h"
#include "tests/fuzz/refuses.h"

#include <sys/mman.h>
#include <unistd.h>

#include <string>

using namespace infoscissors;

namespace {

// A file in memory, since the readers take a path.
class File {
 public:
  File() : descriptor_(::memfd_create("config", 0)), path_("/proc/self/fd/" + std::to_string(descriptor_)) {}
  ~File() { ::close(descriptor_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  const std::string& with(const std::uint8_t* bytes, std::size_t size) const {
    fuzz::require(
        ::ftruncate(descriptor_, 0) == 0 && ::pwrite(descriptor_, bytes, size, 0) == static_cast<ssize_t>(size),
        "the file is written");
    return path_;
  }

 private:
  int descriptor_;
  std::string path_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  static const File file;
  // A parser may quote the line that it does not understand.
  const std::size_t longest = 4096 + 4 * size;
  fuzz::accepts([&] { serve::validate(serve::load_settings(file.with(bytes, size))); }, longest);
  fuzz::accepts([&] { serve::AccessList::load(file.with(bytes, size)).may_use("camera-1", "net"); }, longest);
  return 0;
}
