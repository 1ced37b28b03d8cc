#include "infoscissors/exporter/bundle.h"

#include "infoscissors/base/error.h"
#include "infoscissors/base/file.h"
#include "infoscissors/bundle/sha256.h"
#include "infoscissors/device/release.h"
#include "infoscissors/exporter/torchscript.h"
#include "infoscissors/tensor/file.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace infoscissors::exporter {
namespace {

namespace fs = std::filesystem;
using base::Error;
using base::UsageError;
using bundle::Manifest;

bool is_bundle(const fs::path& path) {
  std::error_code code;
  return fs::is_regular_file(path / "device" / bundle::kManifest, code) ||
         fs::is_regular_file(path / "server" / bundle::kManifest, code);
}

void check_place(const fs::path& path, Existing existing) {
  std::error_code code;
  if (!fs::exists(fs::symlink_status(path, code))) return;
  if (fs::is_directory(path, code) && fs::is_empty(path, code)) return;
  if (!is_bundle(path)) throw UsageError("{}: is there already and is no bundle; choose another --out", path.string());
  if (existing == Existing::refuse) {
    throw UsageError("{}: holds a bundle already; --force replaces it", path.string());
  }
}

/// A folder beside the bundle that disappears unless it was renamed.
class Draft {
 public:
  explicit Draft(const fs::path& target) : path_(target.string() + fmt::format(".tmp{}", ::getpid())) {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
    base::ensure_directory(path_ / "device");
    base::ensure_directory(path_ / "server");
  }
  ~Draft() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;

  const fs::path& path() const { return path_; }

  /// What stood there before takes the draft's name, and so disappears.
  void move_to(const fs::path& target) const {
    if (::rename(path_.c_str(), target.c_str()) == 0) return;
    if (errno == ENOTEMPTY || errno == EEXIST) {
      if (::renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD, target.c_str(), RENAME_EXCHANGE) == 0) return;
    }
    throw Error("{}: cannot be written: {}", target.string(), std::generic_category().message(errno));
  }

 private:
  fs::path path_;
};

void put(const fs::path& directory, Manifest& manifest, const std::string& file, const std::string& content) {
  base::write_file(directory / file, content);
  manifest.files[file] = {bundle::sha256(content), content.size()};
}

std::vector<std::int64_t> batched(const nn::Shape& shape) {
  auto sizes = shape;
  sizes.insert(sizes.begin(), -1);
  return sizes;
}

Manifest describe(const Source& source, bundle::Part part, const std::string& model) {
  Manifest manifest;
  manifest.part = part;
  manifest.model = model;
  manifest.inputs = {{"representation", "FP32", batched(source.model.encoder.input)}};
  manifest.outputs = {{"feature", "FP32", batched(source.model.encoder.output)}};
  return manifest;
}

Manifest write_server(const Source& source, const std::string& model, const fs::path& directory) {
  auto manifest = describe(source, bundle::Part::server, model);
  put(directory, manifest, bundle::kEncoder, to_torchscript(source.model.encoder, "encoder"));
  return manifest;
}

Manifest write_device(const Source& source, const std::string& model, const fs::path& directory) {
  auto manifest = describe(source, bundle::Part::device, model);
  put(directory, manifest, bundle::kHead, to_torchscript(source.model.head, "head"));
  put(directory, manifest, bundle::kClassifier, to_torchscript(source.model.classifier, "classifier"));
  const auto release = device::gather_release(source.defense, source.specs, source.context);
  const auto file = directory / bundle::kRelease;
  tensor::save_tensors(file, {release.tensors, {{"format", "infoscissors-release"}}});
  const auto content = base::read_file(file);
  manifest.files[bundle::kRelease] = {bundle::sha256(content), content.size()};
  manifest.device = bundle::DeviceFacts{.classes = source.classes,
                                        .image = source.model.head.input,
                                        .mean = source.mean,
                                        .std = source.std,
                                        .defense = defense::canonical_defense(source.specs),
                                        .release = release.spec};
  return manifest;
}

}  // namespace

bundle::Halves write_bundle(const Source& source, const std::string& model, const fs::path& path, Existing existing) {
  if (!bundle::valid_name(model)) {
    throw UsageError("--name {}: must be 1 to 64 letters, digits, '.', '_' or '-'", model);
  }
  // "bundle/" names the same folder as "bundle".
  const auto target = path.has_filename() ? path : path.parent_path();
  check_place(target, existing);
  if (target.has_parent_path()) base::ensure_directory(target.parent_path());
  const Draft draft(target);
  bundle::Halves halves{write_device(source, model, draft.path() / "device"),
                        write_server(source, model, draft.path() / "server")};
  halves.device.version = halves.server.version = bundle::version_of(halves.device, halves.server);
  base::write_json(draft.path() / "device" / bundle::kManifest, bundle::to_json(halves.device));
  base::write_json(draft.path() / "server" / bundle::kManifest, bundle::to_json(halves.server));
  draft.move_to(target);
  return halves;
}

}  // namespace infoscissors::exporter
