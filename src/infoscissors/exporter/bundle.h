#pragma once

#include "infoscissors/bundle/manifest.h"
#include "infoscissors/defense/defense.h"
#include "infoscissors/nn/split_model.h"

#include <filesystem>
#include <string>
#include <vector>

/// A trained network as a bundle for device and server.
namespace infoscissors::exporter {

struct Source {
  nn::SplitModel& model;
  defense::Defense& defense;  // trained, set up for `context`
  std::string specs;          // what the defence was built from
  defense::Context context;
  std::vector<std::string> classes;
  std::vector<double> mean, std;  // of the normalisation, per channel
};

enum class Existing { refuse, replace };

/// Writes BUNDLE/device and BUNDLE/server under a temporary name and renames: a reader sees the old bundle, the new one
/// or none. `model` is the name under which the encoder is served. Moves the network to the CPU. An empty folder is
/// taken, a bundle only replaced where that was asked for, anything else never. Throws UsageError for what is in the
/// way and a model name that is none, Error where it cannot be written.
bundle::Halves write_bundle(const Source& source, const std::string& model, const std::filesystem::path& path,
                            Existing existing);

}  // namespace infoscissors::exporter
