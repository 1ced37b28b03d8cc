#include "infoscissors/base/error.h"
#include "infoscissors/base/file.h"
#include "infoscissors/bundle/manifest.h"
#include "infoscissors/bundle/sha256.h"

namespace infoscissors::bundle {
namespace {

namespace fs = std::filesystem;
using base::Error;

/// Throws Error unless it is a regular file; its size.
std::uint64_t size_of(const fs::path& path) {
  std::error_code code;
  if (!fs::exists(path, code)) throw Error("{}: is missing", path.string());
  if (!fs::is_regular_file(path, code)) throw Error("{}: is not a regular file", path.string());
  const auto size = fs::file_size(path, code);
  if (code) throw Error("{}: cannot be read: {}", path.string(), code.message());
  return size;
}

void refuse_strangers(const fs::path& directory, const Manifest& manifest) {
  std::error_code code;
  for (fs::directory_iterator it(directory, code), end; !code && it != end; it.increment(code)) {
    const auto name = it->path().filename().string();
    if (name != kManifest && !manifest.files.contains(name)) {
      throw Error("{}: is not listed in {}", it->path().string(), kManifest);
    }
  }
  if (code) throw Error("{}: cannot be listed: {}", directory.string(), code.message());
}

/// What both halves say of the encoder.
bool same_interface(const std::vector<TensorSpec>& ours, const std::vector<TensorSpec>& theirs) {
  return std::equal(ours.begin(), ours.end(), theirs.begin(), theirs.end(), [](const auto& a, const auto& b) {
    return a.name == b.name && a.datatype == b.datatype && a.shape == b.shape;
  });
}

}  // namespace

Manifest load_manifest(const fs::path& directory) {
  std::error_code code;
  if (!fs::is_directory(directory, code)) throw Error("{}: is not a directory", directory.string());
  const auto path = directory / kManifest;
  if (!fs::exists(path, code)) {
    const bool whole = fs::exists(directory / "device" / kManifest, code);
    throw Error("{}: is no half of a bundle: it has no {}{}", directory.string(), kManifest,
                whole ? " (a whole bundle holds device/ and server/; name one of them)" : "");
  }
  if (size_of(path) > kMaxManifestBytes) throw Error("{}: larger than a manifest may be", path.string());
  return parse_manifest(base::read_file(path), path.string());
}

Manifest load_manifest(const fs::path& directory, Part expected) {
  auto manifest = load_manifest(directory);
  if (manifest.part != expected) {
    throw Error("{}: is the {}'s half of a bundle; the {}'s half is needed here", directory.string(),
                to_string(manifest.part), to_string(expected));
  }
  return manifest;
}

std::string read_part(const fs::path& directory, const Manifest& manifest, const std::string& file) {
  const auto found = manifest.files.find(file);
  if (found == manifest.files.end()) throw Error("{}: its {} does not list {}", directory.string(), kManifest, file);
  const auto path = directory / file;
  const auto size = size_of(path);
  if (size != found->second.bytes) {
    throw Error("{}: damaged: {} bytes instead of {}", path.string(), size, found->second.bytes);
  }
  auto content = base::read_file(path);
  if (sha256(content) != found->second.sha256) {
    throw Error("{}: damaged: its content does not match its SHA-256 in {}", path.string(), kManifest);
  }
  return content;
}

Manifest verify_half(const fs::path& directory) {
  auto manifest = load_manifest(directory);
  for (const auto& [name, file] : manifest.files) read_part(directory, manifest, name);
  refuse_strangers(directory, manifest);
  return manifest;
}

Halves verify_bundle(const fs::path& bundle) {
  const auto device_path = bundle / "device", server_path = bundle / "server";
  load_manifest(device_path, Part::device);
  load_manifest(server_path, Part::server);
  Halves halves{verify_half(device_path), verify_half(server_path)};
  const auto& [device, server] = halves;
  if (device.version != server.version) {
    throw Error("{}: its halves come from different exports: device {}, server {}", bundle.string(), device.version,
                server.version);
  }
  if (device.model != server.model || !same_interface(device.inputs, server.inputs) ||
      !same_interface(device.outputs, server.outputs) || version_of(device, server) != server.version) {
    throw Error("{}: its halves do not belong together: version {} is not that of their content", bundle.string(),
                server.version);
  }
  return halves;
}

}  // namespace infoscissors::bundle
