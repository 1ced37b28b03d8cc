#include "infoscissors/data/fetch.h"

#include "infoscissors/base/error.h"
#include "infoscissors/base/file.h"
#include "infoscissors/base/log.h"
#include "infoscissors/base/options.h"
#include "infoscissors/data/dataset.h"

#include <unistd.h>

namespace infoscissors::data {
namespace {

namespace fs = std::filesystem;
using base::Error;
using base::UsageError;

constexpr std::int64_t kLargestContent = std::int64_t{1} << 30;

/// A directory beside the final one, removed with whatever is left in it.
class Workspace {
 public:
  explicit Workspace(fs::path path) : path_(std::move(path)) {
    fs::remove_all(path_);
    base::ensure_directory(path_);
  }
  ~Workspace() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

void check_md5(const Archive& archive, const fs::path& file) {
  const auto found = file_md5(file);
  if (found == archive.md5) return;
  const fs::path aside = file.string() + ".bad";
  fs::rename(file, aside);
  throw Error(
      "{}: its MD5 is {} instead of {}: not the official archive, or damaged on the way; it was set aside as {}",
      archive.url, found, archive.md5, aside.string());
}

}  // namespace

Archive official_archive(const std::string& name) {
  if (name == "cifar10") {
    return {name, "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz", "c32a1d4ab5d03f1284b67883e8d87530",
            "cifar-10-batches-bin"};
  }
  if (name == "cifar100") {
    return {name, "https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz", "03b5dce01913d631647c71ecec9e9cb8",
            "cifar-100-binary"};
  }
  if (name == "fashion-mnist") {
    throw Error(
        "fashion-mnist is not downloaded: install the Debian package dataset-fashion-mnist, which puts its files where "
        "they are looked for");
  }
  for (const auto& doc : datasets()) {
    if (doc.name == name) throw UsageError("{} needs no download", name);
  }
  throw UsageError("there is no data set '{}' to fetch: {}", name, base::suggestion(name, {"cifar10", "cifar100"}));
}

fs::path fetch(const Archive& archive, const fs::path& to) {
  const fs::path target = to / archive.directory;
  if (fs::exists(target)) {
    base::log::info("{}: already there; remove it to fetch it again", target.string());
    return target;
  }
  base::ensure_directory(to);
  const fs::path partial = to / (archive.directory + ".tar.gz.part");
  try {
    // A complete file from an earlier run that was stopped before unpacking is not asked for again.
    if (!fs::exists(partial) || file_md5(partial) != archive.md5) download(archive.url, partial);
  } catch (const base::Interrupted&) {
    throw;
  } catch (const Error& error) {
    throw Error(
        "{}; without a network, download {} on another machine and run: infoscissors data fetch {} --url file:///PATH",
        error.what(), archive.url, archive.name);
  }
  check_md5(archive, partial);
  const Workspace workspace(to / fmt::format("{}.tmp{}", archive.directory, ::getpid()));
  unpack(partial, workspace.path(), kLargestContent);
  const fs::path content = workspace.path() / archive.directory;
  if (!fs::is_directory(content)) throw Error("{}: holds no directory {}", archive.url, archive.directory);
  fs::rename(content, target);
  fs::remove(partial);
  return target;
}

#ifdef INFOSCISSORS_FETCH

bool fetch_available() {
  return true;
}

#else

bool fetch_available() {
  return false;
}

namespace {

Error missing() {
  return Error("downloads need the component \"fetch\" (libcurl, OpenSSL, libarchive), which this build lacks");
}

}  // namespace

void download(const std::string&, const fs::path&) {
  throw missing();
}
std::string file_md5(const fs::path&) {
  throw missing();
}
void unpack(const fs::path&, const fs::path&, std::int64_t) {
  throw missing();
}

#endif

}  // namespace infoscissors::data
