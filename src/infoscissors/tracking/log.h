#pragma once

#include "infoscissors/figure/figures.h"
#include "infoscissors/study/study.h"

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

/// Runs for other people's viewers: TensorBoard's event files and MLflow's file store. No libtorch.
namespace infoscissors::tracking {

/// A number at a step: an epoch, or the last one for what is measured afterwards.
struct Scalar {
  std::string tag;  // "train/loss", "test/accuracy", "attack/ka budget-400/ssim"
  std::int64_t step = 0;
  double value = 0;
};

/// What a viewer shows of one run. Values that are not finite are left out.
struct Log {
  std::string id;    // hash of the configuration
  std::string name;  // "fashion-mnist resnet-small x0.5 h1c3/an 0.3/seed 0"
  std::string status, command, version;
  std::vector<Scalar> scalars;
  std::map<std::string, std::string> parameters;  // the configuration, flat: "train.epochs" -> "3"
  double end = 0;                                 // when its record was written, in seconds since 1970
  double seconds = 0;                             // of training and attacks
};
Log log_of(const study::Entry& entry);

/// A figure as PNG.
struct Image {
  std::string name;
  std::string png;
  std::int64_t width = 0, height = 0;
};

/// Every figure that the study can show; the others are left out.
std::vector<Image> images_of(const study::Study& study, const figure::FigureOptions& options);

/// A name that both viewers take: letters, digits, "_-. /" alone.
std::string safe_name(const std::string& text);

/// OUT/NAME/events.out.tfevents.*, one file a run, and OUT/figures with the pictures. Files of an earlier export are
/// replaced. Gives the files' number.
std::size_t write_tensorboard(const std::vector<Log>& logs, const std::vector<Image>& images,
                              const std::filesystem::path& out);

/// The bytes of one event file.
std::string event_file(const Log& log);
std::string event_file(const std::vector<Image>& images, double time);

/// OUT/EXPERIMENT/RUN as MLflow's file store has it: point a tracking URI at OUT. The experiment is named after the
/// study. Gives the runs' number.
std::size_t write_mlflow(const std::vector<Log>& logs, const std::vector<Image>& images, const std::string& experiment,
                         const std::filesystem::path& out);

}  // namespace infoscissors::tracking
