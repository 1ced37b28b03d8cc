#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

/// Downloads of data sets. Needs the component "fetch"; without it everything here throws an Error that says so.
namespace infoscissors::data {

/// One archive (tar, gzip) that holds one directory of files.
struct Archive {
  std::string name;       // the data set
  std::string url;        // http, https or file
  std::string md5;        // of the archive, 32 lower-case hexadecimal digits
  std::string directory;  // what it unpacks to
};

bool fetch_available();

/// The official archive of cifar10 or cifar100. Throws Error that says where other data sets come from, UsageError for
/// an unknown name.
Archive official_archive(const std::string& name);

/// Downloads the archive into `to`, continuing an interrupted download, checks its MD5, unpacks it and returns the
/// directory of its files; they appear there all at once or not at all. Does nothing if the directory exists. Throws
/// Error (an archive with the wrong MD5 is set aside as *.bad), Interrupted (what was downloaded is kept).
std::filesystem::path fetch(const Archive& archive, const std::filesystem::path& to);

/// Appends what `partial` lacks of `url`, in several attempts; begins anew if the server cannot continue. Throws Error,
/// Interrupted.
void download(const std::string& url, const std::filesystem::path& partial);

/// MD5 of a file as 32 hexadecimal digits.
std::string file_md5(const std::filesystem::path& path);

/// Unpacks a tar archive (gzip or plain) into the empty directory `to`. Only plain files and directories with relative
/// paths that stay inside, at most `limit` bytes together. Throws Error naming the archive.
void unpack(const std::filesystem::path& archive, const std::filesystem::path& to, std::int64_t limit);

}  // namespace infoscissors::data
