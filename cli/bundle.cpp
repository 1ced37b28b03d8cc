#include "cli/command.h"

#include "infoscissors/base/error.h"
#include "infoscissors/bundle/manifest.h"

#include <filesystem>
#include <memory>
#include <string>

namespace infoscissors::cli {
namespace {

namespace fs = std::filesystem;
using base::Json;
using bundle::Manifest;

/// Whether the path is meant as a whole bundle: neither half's manifest lies directly in it.
bool is_whole(const fs::path& path) {
  std::error_code code;
  return fs::is_directory(path, code) && !fs::exists(path / bundle::kManifest, code);
}

/// One half or both.
std::vector<Manifest> verified(const fs::path& path, const std::string& expected) {
  if (is_whole(path)) {
    auto halves = bundle::verify_bundle(path);
    return {std::move(halves.device), std::move(halves.server)};
  }
  auto manifest = bundle::verify_half(path);
  if (!expected.empty() && bundle::to_string(manifest.part) != expected) {
    throw base::Error("{}: is the {}'s half of a bundle, not the {}'s", path.string(), bundle::to_string(manifest.part),
                      expected);
  }
  return {std::move(manifest)};
}

std::string describe(const std::vector<bundle::TensorSpec>& specs) {
  std::string text;
  for (const auto& spec : specs) {
    text += fmt::format("{}{} {} [{}]", text.empty() ? "" : ", ", spec.name, spec.datatype, fmt::join(spec.shape, ","));
  }
  return text;
}

std::string describe(const Manifest& manifest) {
  std::string text =
      fmt::format("{}: model {}, version {}\n", bundle::to_string(manifest.part), manifest.model, manifest.version);
  const auto line = [&](const char* key, const std::string& value) {
    text += fmt::format("  {:<10} {}\n", key, value);
  };
  line("input", describe(manifest.inputs));
  line("output", describe(manifest.outputs));
  if (manifest.device) {
    const auto& facts = *manifest.device;
    line("image", fmt::format("{}", fmt::join(facts.image, "x")));
    line("mean", fmt::format("{:.4f}", fmt::join(facts.mean, " ")));
    line("std", fmt::format("{:.4f}", fmt::join(facts.std, " ")));
    line("defense", facts.defense);
    line("release", facts.release);
    line("classes", fmt::format("{}", fmt::join(facts.classes, ", ")));
  }
  for (const auto& [name, file] : manifest.files) {
    text += fmt::format("  {:<20} {:>10} bytes  sha256 {}\n", name, file.bytes, file.sha256);
  }
  return text;
}

void add_verify(CLI::App& parent, Common& common) {
  auto* command = parent.add_subcommand("verify", "Check a bundle or one half of it: nothing changed, nothing missing");
  auto path = std::make_shared<std::string>();
  auto expected = std::make_shared<std::string>();
  command->add_option("BUNDLE", *path, "A bundle, or its device/ or server/")->required();
  command->add_option("--part", *expected, "Refuse the other half: device or server")
      ->check(CLI::IsMember({"device", "server"}));
  command->callback([path, expected, &common] {
    const auto manifests = verified(*path, *expected);
    Json parts = Json::array();
    for (const auto& manifest : manifests) parts.push_back(bundle::to_string(manifest.part));
    emit(common,
         {{"bundle", *path}, {"model", manifests[0].model}, {"version", manifests[0].version}, {"parts", parts}},
         fmt::format("{}: intact, version {}\n", *path, manifests[0].version));
  });
}

void add_show(CLI::App& parent, Common& common) {
  auto* command = parent.add_subcommand("show", "What a bundle or one half of it holds");
  auto path = std::make_shared<std::string>();
  command->add_option("BUNDLE", *path, "A bundle, or its device/ or server/")->required();
  command->callback([path, &common] {
    const fs::path where = *path;
    std::vector<Manifest> manifests;
    if (is_whole(where)) {
      for (const char* half : {"device", "server"}) manifests.push_back(bundle::load_manifest(where / half));
    } else {
      manifests.push_back(bundle::load_manifest(where));
    }
    Json document = Json::array();
    std::string text;
    for (const auto& manifest : manifests) {
      document.push_back(bundle::to_json(manifest));
      text += describe(manifest);
    }
    emit(common, {{"bundle", *path}, {"parts", document}}, text);
  });
}

}  // namespace

void add_bundle(CLI::App& app, Common& common) {
  auto* command = app.add_subcommand("bundle", "Look at exported bundles");
  command->require_subcommand(1);
  command->footer(
      "Examples:\n  infoscissors bundle verify bundle\n"
      "  infoscissors bundle verify bundle/server --part server\n"
      "  infoscissors bundle show bundle/device");
  add_verify(*command, common);
  add_show(*command, common);
}

}  // namespace infoscissors::cli
