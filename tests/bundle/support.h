#pragma once

#include "infoscissors/base/file.h"
#include "infoscissors/bundle/manifest.h"
#include "infoscissors/bundle/sha256.h"

#include <filesystem>
#include <string>

namespace infoscissors::tests {

inline bundle::File entry_of(const std::string& content) {
  return {bundle::sha256(content), content.size()};
}

/// Two halves whose files hold a few bytes each.
inline bundle::Halves sample_halves(const std::string& encoder = "encoder's bytes") {
  bundle::Halves halves;
  auto& [device, server] = halves;
  for (auto* half : {&device, &server}) {
    half->model = "net";
    half->inputs = {{"representation", "FP32", {-1, 4, 8, 8}}};
    half->outputs = {{"feature", "FP32", {-1, 16}}};
  }
  server.part = bundle::Part::server;
  server.files[bundle::kEncoder] = entry_of(encoder);
  device.part = bundle::Part::device;
  device.files[bundle::kHead] = entry_of("head's bytes");
  device.files[bundle::kClassifier] = entry_of("classifier's bytes");
  device.files[bundle::kRelease] = entry_of("release's bytes");
  device.device = bundle::DeviceFacts{.classes = {"cat", "dog"},
                                      .image = {1, 8, 8},
                                      .mean = {0.5},
                                      .std = {0.25},
                                      .defense = "an(scale=0.3)",
                                      .release = "an(scale=0.3)"};
  device.version = server.version = bundle::version_of(device, server);
  return halves;
}

/// Writes them as a bundle.
inline void write_halves(const std::filesystem::path& path, const bundle::Halves& halves,
                         const std::string& encoder = "encoder's bytes") {
  std::filesystem::create_directories(path / "device");
  std::filesystem::create_directories(path / "server");
  base::write_file(path / "server" / bundle::kEncoder, encoder);
  base::write_file(path / "device" / bundle::kHead, "head's bytes");
  base::write_file(path / "device" / bundle::kClassifier, "classifier's bytes");
  base::write_file(path / "device" / bundle::kRelease, "release's bytes");
  base::write_json(path / "device" / bundle::kManifest, bundle::to_json(halves.device));
  base::write_json(path / "server" / bundle::kManifest, bundle::to_json(halves.server));
}

}  // namespace infoscissors::tests
